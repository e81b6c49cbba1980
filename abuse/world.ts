import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Session } from '../src/runtime/driver.ts'
import { type TestSessions, invoke, outcome } from '../src/runtime/test-sessions.ts'
import type { AbuseWorld } from './case.ts'
import { processesIn } from './host.ts'
import type { AbuseNetwork } from './net.ts'

export interface CaseWorld {
  readonly world: AbuseWorld
  /** Host folders that only this case's sandboxes see. */
  readonly bundles: readonly string[]
  /** Ends what the case made. @throws AggregateError when something could not be ended. */
  close(): Promise<void>
}

/** What one case gets of the world that all cases of a pass share. */
export function createCaseWorld(sandboxes: TestSessions, as: 'root' | 'user', network: AbuseNetwork): CaseWorld {
  const cleanups: (() => unknown)[] = []
  const bundles: string[] = []
  const nodes = new Map<Session, { readonly bundle: string; another(): Promise<Session> }>()

  async function bundle(files: Readonly<Record<string, string>>): Promise<string> {
    const path = await sandboxes.bundle({ ...files })
    bundles.push(path)
    return path
  }

  function own(session: Session): Session {
    cleanups.push(() => session.kill())
    return session
  }

  const world: AbuseWorld = {
    as,
    driver: sandboxes.driver,
    places: sandboxes.places,
    limits: sandboxes.driver.capabilities().limits === 'hard' ? 'hard' : 'soft',
    network,
    bundle,
    async python(code, spec = {}, files = {}) {
      const made = await bundle({ ...files, 'main.py': code })
      return own(await sandboxes.python(code, { bundle: made, takes_context: TWO_PARAMETERS.test(code), ...spec }))
    },
    async node(code, spec = {}, files = {}) {
      const made = await bundle({ ...files, 'index.mjs': code })
      const another = async (): Promise<Session> => {
        const session = own(await sandboxes.node(code, { bundle: made, ...spec }))
        nodes.set(session, { bundle: made, another })
        return session
      }
      return await another()
    },
    async invoke(session, input, change = {}) {
      return { ...(await invoke(session, input, { timeout_ms: 120_000, ...change })), session }
    },
    async again(session, input, change) {
      if (await session.idle()) return await world.invoke(session, input, change)
      assert.ok(world.mayRetire(session), 'the session did not come back')
      const { result } = await world.invoke(session, input, change)
      assert.equal(outcome({ result }), 'failed/sandbox_error', 'a session that was ended served a run')
      await session.kill()
      const { bundle: seen, another } = nodes.get(session)!
      assert.deepEqual(await processesIn([seen]), [], 'a session that was ended is still there')
      return await world.invoke(await another(), input, change)
    },
    mayRetire: (session) => world.limits === 'soft' && nodes.has(session),
    async folder() {
      const path = await mkdtemp(join(tmpdir(), 'skillet-abuse-'))
      cleanups.push(() => rm(path, { recursive: true, force: true }))
      return path
    },
    after: (cleanup) => void cleanups.push(cleanup),
  }

  return {
    world,
    bundles,
    async close() {
      const failures: unknown[] = []
      for (const cleanup of cleanups.splice(0).toReversed()) {
        try {
          await cleanup()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, `Cleaning up failed: ${failures.join('; ')}`)
    },
  }
}

/** Of a Python handler: it takes the context too. */
const TWO_PARAMETERS = /^(?:async )?def handler\(\s*\w+\s*,/m
