import { readFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestServer } from './harness.ts'

let server: TestServer
beforeAll(async () => {
  // The server runs in this process, which would leave a dump from here on.
  execFileSync('/usr/bin/prlimit', ['--pid', String(process.pid), '--core=0:unlimited'])
  server = await TestServer.start()
})
afterAll(() => server.stop())

test('a server that dies leaves no picture of its memory', async () => {
  expect(await readFile('/proc/self/limits', 'utf8')).toMatch(/^Max core file size +0 +0 /m)
})
