import assert from 'node:assert/strict'
import { outcome } from '../src/runtime/test-sessions.ts'
import type { TestSessions } from '../src/runtime/test-sessions.ts'
import type { AbuseCase, AbuseWorld, Attack } from './case.ts'
import { hostChanges, hostState, processesIn } from './host.ts'
import type { Neighbours } from './neighbours.ts'
import type { AbuseNetwork } from './net.ts'
import { elsewhere } from './elsewhere.ts'
import { type Part, type Row, type User } from './report.ts'
import { type CaseWorld, createCaseWorld } from './world.ts'

export interface Surroundings {
  readonly as: User
  readonly sandboxes: TestSessions
  readonly neighbours: Neighbours
  readonly network: AbuseNetwork
}

/** Parts of a case, one after the other; each is told as soon as it is known. Never rejects. */
export async function runCase(
  one: AbuseCase,
  parts: readonly Part[],
  around: Surroundings,
  tell: (row: Row) => void,
): Promise<void> {
  for (const part of parts) {
    const began = performance.now()
    const what = await runPart(one, part, around).catch((error: unknown) => ({
      status: 'failed' as const,
      why: reason(error),
    }))
    const { number, title } = one
    tell({ number, title, as: around.as, part, ...what, first: null, ms: Math.round(performance.now() - began) })
  }
}

/** One attack after the other while the neighbours work; then the host has to be what it was. */
async function runPart(
  one: AbuseCase,
  part: Part,
  { as, sandboxes, neighbours, network }: Surroundings,
): Promise<Pick<Row, 'status' | 'why'>> {
  const made = createCaseWorld(sandboxes, as, network)
  const cannot = (await one.cannot?.(made.world)) ?? elsewhere(one, part, made.world)
  if (cannot !== null) {
    await made.close()
    return { status: 'not_run', why: cannot }
  }
  const wrong: string[] = []
  const before = hostState()
  const service = neighbours.serve()
  try {
    if (part === 'world') await one.world!(made.world)
    else for (const attack of [one[part]!].flat()) await runAttack(attack, part, made)
  } catch (error) {
    wrong.push(reason(error))
  }
  const { runs, complaints } = await service.stop()
  wrong.push(...complaints.map((complaint) => `a neighbour: ${complaint}`))
  if (runs < 4) wrong.push('not every neighbour was served meanwhile')
  await made.close().catch((error: unknown) => wrong.push(reason(error)))
  wrong.push(...hostChanges(before, hostState()))
  if (made.bundles.length > 0) wrong.push(...(await processesIn(made.bundles)).map((pid) => `still there: ${pid}`))
  return wrong.length === 0 ? { status: 'held', why: null } : { status: 'failed', why: wrong.join('; ') }
}

async function runAttack(attack: Attack, part: 'python' | 'node', { world }: CaseWorld): Promise<void> {
  const { input = {}, spec, timeout_ms = 120_000 } = attack
  const session = await world[part](attack.code, typeof spec === 'function' ? spec(world) : spec, attack.files)
  const given: unknown = typeof input === 'function' ? await (input as (world: AbuseWorld) => unknown)(world) : input
  const ran = await world.invoke(session, given, { timeout_ms, ...attack.call })
  const how = outcome(ran)
  const told = (): string =>
    `it ended ${how}, not ${String(attack.outcome)}: ${JSON.stringify(ran.result).slice(0, 600)}`
  if (typeof attack.outcome === 'string') assert.equal(how, attack.outcome, told())
  else assert.match(how, attack.outcome, told())
  await attack.held?.(ran, world)
  await session.kill()
}

/** With what an assertion compared, on one line. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const fix = 'fix' in error ? ` (${String(error.fix)})` : ''
  return `${error.message}${fix}`.replaceAll(/\s+/g, ' ').slice(0, 1500)
}
