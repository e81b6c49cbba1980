import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { SIZES } from '../../model/sizes.ts'
import type { Driver } from '../driver.ts'
import { invoke, openTestSessions } from '../test-sessions.ts'
import { cpuQuota } from './limits.ts'

/** Two processes that do nothing else, for the seconds that the input says. */
const BUSY = `
import os, time

def handler(input):
    until = time.monotonic() + input["seconds"]
    child = os.fork()
    while time.monotonic() < until:
        pass
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
`

test('a run gets the CPU time of its size, however many processes take it', async ({ skip }) => {
  skip(availableParallelism() < 2, 'one core is no more than a quota of one')
  const sessions = await openTestSessions()
  try {
    skip(!holdsCpu(sessions.driver), 'limits are soft here, or the CPU controller is missing')
    const cpus = async (given: number): Promise<number> => {
      const session = await sessions.python(BUSY, { cpus: given })
      const { usage } = (await invoke(session, { seconds: 2 })).result
      await session.kill()
      return usage.cpu_ms! / usage.wall_ms
    }
    expect(await cpus(SIZES.S.cpus)).toBeLessThan(1.1)
    expect(await cpus(0.5)).toBeLessThan(0.6)
  } finally {
    await sessions.close()
  }
})

test('a command in a sandbox gets its CPU time too', async ({ skip }) => {
  const sessions = await openTestSessions()
  try {
    skip(!holdsCpu(sessions.driver), 'limits are soft here, or the CPU controller is missing')
    const { usage } = await sessions.driver.tool({
      argv: ['/usr/bin/timeout', '2', '/bin/sh', '-c', 'while :; do :; done'],
      binds: [],
      cpus: 0.5,
      memory_mb: 64,
      disk_mb: 1,
      timeout_ms: 60_000,
    })
    expect(usage.cpu_ms! / usage.wall_ms).toBeLessThan(0.6)
  } finally {
    await sessions.close()
  }
})

test('no quota is written for what the machine does not have', () => {
  const cores = availableParallelism()
  expect(cpuQuota(cores)).toBeNull()
  expect(cpuQuota(cores + 1)).toBeNull()
  expect(cpuQuota(cores / 2)).toEqual({ quota: cores * 50_000, period: 100_000 })
})

function holdsCpu(driver: Driver): boolean {
  return driver.capabilities().held?.cpu === true
}
