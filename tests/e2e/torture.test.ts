import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'

const TORTURE = new URL('../../torture/main.ts', import.meta.url).pathname
const CYCLES = 6
/** Six faults, none of them twice: the clock in both directions, a kill that falls into a start, a disk, a sandbox, a lease. */
const SEED = 1517

/** A short one; `npm run torture` goes on for 200 cycles. */
test(`a server that is killed, stopped, starved and lied to ${CYCLES} times keeps its word`, async () => {
  const child = spawn(
    process.execPath,
    [TORTURE, '--cycles', String(CYCLES), '--check-every', '3', '--seed', String(SEED), '--json'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let told = ''
  let progress = ''
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (progress += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  const report = JSON.parse(told || '{}') as { acknowledged?: number; received?: number; wrong?: string[] }
  expect(report.wrong, progress).toEqual([])
  expect(code).toBe(0)
  expect(report.acknowledged).toBeGreaterThan(CYCLES)
  expect(report.received).toBeGreaterThanOrEqual(report.acknowledged!)
})
