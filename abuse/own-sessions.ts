import assert from 'node:assert/strict'
import type { Deployment } from '../src/model/skills.ts'
import type { Session } from '../src/runtime/driver.ts'
import { createSessionPool } from '../src/runtime/pool.ts'
import { Room } from '../src/runtime/room.ts'
import type { AbuseWorld } from './case.ts'

/** By way of the pool that lends sessions: none serves two deployments, none two sets of secrets, and `fresh` none twice. */
export async function ownSessions(world: AbuseWorld): Promise<void> {
  const pool = createSessionPool({
    driver: world.driver,
    bundles: { ensure: async (blob) => ({ folder: blob, release: () => {} }) },
    room: new Room({ memory_mb: 8192 }),
    onError(error) {
      throw error
    },
  })
  world.after(() => pool.close())
  const python = await world.bundle({ 'main.py': COUNTING })
  const node = await world.bundle({ 'index.mjs': COUNTING_IN_NODE })
  const run = async (
    deployment: Deployment,
    variant = '',
  ): Promise<{ id: Session['id']; counted: unknown; ended: boolean }> => {
    const lease = await pool.acquire(deployment, { variant })
    const { output } = await world.invoke(lease.session, {})
    const ended = !lease.session.usable
    await lease.release()
    return { id: lease.session.id, counted: output, ended }
  }
  for (const [bundle, language] of [
    [python, 'python'],
    [node, 'node'],
  ] as const) {
    const of = (id: string, isolation: 'session' | 'fresh' = 'session'): Deployment =>
      deploymentOf(`${language}-${id}`, language, bundle, isolation)
    const first = await run(of('a'))
    const again = await run(of('a'))
    // As AbuseWorld.mayRetire has it.
    const retired = first.ended && language === 'node' && world.limits === 'soft'
    assert.equal(again.id === first.id, !retired)
    // Python starts each run from where all begin; a Node process is one deployment's, and goes on.
    assert.deepEqual(again.counted, language === 'python' || retired ? [1, 1] : [2, 2])
    const otherTenant = await run(of('b'))
    const otherSecrets = await run(of('a'), 'other secrets')
    const fresh = [await run(of('c', 'fresh')), await run(of('c', 'fresh'))]
    const ids = [first, otherTenant, otherSecrets, ...fresh].map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length, 'a session served two')
    for (const { counted } of [otherTenant, otherSecrets, ...fresh]) assert.deepEqual(counted, [1, 1])
  }
}

const COUNTING = `
kept = {"runs": 0}
import builtins
def handler(input):
    kept["runs"] += 1
    builtins.before = getattr(builtins, "before", 0) + 1
    return [kept["runs"], builtins.before]
`
const COUNTING_IN_NODE = `
let runs = 0
export function execute() { globalThis.before = (globalThis.before ?? 0) + 1; return [++runs, globalThis.before] }
`

const deploymentOf = (
  id: string,
  language: 'python' | 'node',
  bundle: string,
  isolation: 'session' | 'fresh',
): Deployment => ({
  id,
  tenant: `tenant of ${id}`,
  skill: 'counting',
  stage: 'dev',
  version: '1.0.0',
  digest: 'd',
  input_schema: {},
  output_schema: null,
  handler:
    language === 'python'
      ? { kind: 'python', file: 'main.py', function: 'handler', takes_context: false }
      : { kind: 'node', file: 'index.mjs', validates: false },
  runtime: language === 'python' ? 'python3' : 'node24',
  bundle_blob: bundle,
  config: { size: 'S', timeout_s: 60, isolation, env: {}, secret_refs: {}, network: [] },
  change_level: null,
  origin: 'deploy',
  promoted_from: null,
  created_by: 'k',
  created_at: new Date().toISOString(),
})
