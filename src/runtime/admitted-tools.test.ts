import { afterAll, beforeAll, expect, test } from 'vitest'
import { admittedTools } from './admitted-tools.ts'
import type { ToolSpec } from './driver.ts'
import { Room } from './room.ts'
import { type TestSessions, openTestSessions } from './test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions()
})
afterAll(() => sandboxes.close())

const DISK = `df -m --output=size /scratch | tail -1`
const spec = (command: string, change: Partial<ToolSpec> = {}): ToolSpec => ({
  argv: ['/bin/sh', '-c', command],
  binds: [],
  memory_mb: 200,
  disk_mb: 50,
  timeout_ms: 120_000,
  ...change,
})

test('a tool has a seat while it runs, and waits for one', async () => {
  const room = new Room({ memory_mb: 300 })
  const { tool } = admittedTools(sandboxes.driver, room)
  const session = await room.enter({ memory_mb: 100, tenant: 'a' })
  const result = tool(spec('echo done'))
  expect(room.state).toEqual({ used_mb: 100, limit_mb: 300, waiting: 1 })
  session.leave()
  expect((await result).stdout).toBe('done\n')
  expect(room.state).toEqual({ used_mb: 0, limit_mb: 300, waiting: 0 })
})

test('a tool that is given up while it waits takes nothing', async () => {
  const room = new Room({ memory_mb: 300 })
  await room.enter({ memory_mb: 100, tenant: 'a' })
  const patience = new AbortController()
  const result = admittedTools(sandboxes.driver, room).tool(spec('echo done'), patience.signal)
  patience.abort(new Error('enough'))
  await expect(result).rejects.toThrow('enough')
  expect(room.state).toEqual({ used_mb: 100, limit_mb: 300, waiting: 0 })
})

test('where there is less than a tool may take, it gets what there is', async () => {
  const room = new Room({ memory_mb: 125 })
  const { stdout } = await admittedTools(sandboxes.driver, room).tool(spec(DISK))
  expect(stdout.trim()).toBe('25')
})
