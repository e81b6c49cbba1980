import { afterAll, beforeAll, expect, test } from 'vitest'
import { runDoctor } from './doctor.ts'
import type { Driver } from './driver.ts'
import { type TestSessions, openTestSessions } from './test-sessions.ts'

let sessions: TestSessions
beforeAll(async () => {
  sessions = await openTestSessions()
})
afterAll(() => sessions.close())

/** As on a machine that has so much else to do that the first so many sandboxes get nowhere in their time. */
function busy(tries: number): { driver: Pick<Driver, 'tool' | 'capabilities'>; times: number[] } {
  const { driver } = sessions
  const times: number[] = []
  const tool: Driver['tool'] = (spec, signal) => {
    times.push(spec.timeout_ms)
    return driver.tool(times.length > tries ? spec : { ...spec, timeout_ms: 1 }, signal)
  }
  return { driver: { tool, capabilities: () => driver.capabilities() }, times }
}

test('probes that did not end in time are tried again, with more of it', async () => {
  const { driver, times } = busy(2)
  const { ok, checks } = await runDoctor({ driver, places: sessions.places, dataDir: sessions.places.root })
  expect(checks.filter((check) => !check.ok)).toEqual([])
  expect(ok).toBe(true)
  expect(times).toHaveLength(3)
  expect(times.toSorted((a, b) => a - b)).toEqual(times)
})

test('a machine on which they never end runs nothing, and its operator is told what to look for', async () => {
  const { driver, times } = busy(Infinity)
  const { ok, checks } = await runDoctor({ driver, places: sessions.places, dataDir: sessions.places.root })
  expect(ok).toBe(false)
  expect(checks.find(({ check }) => check === 'probes')).toMatchObject({
    ok: false,
    detail: expect.stringContaining('did not end within 100 s, in 3 tries') as string,
    fix: expect.stringContaining('busy') as string,
  })
  expect(times).toHaveLength(3)
})
