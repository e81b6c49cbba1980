import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, expect, test } from 'vitest'

const MB = 2 ** 20
const SIZE = 200 * MB

let child: ChildProcess
afterEach(async () => {
  if (child.exitCode !== null) return
  child.stdin!.end()
  await once(child, 'exit')
})

test('a server that takes 200 MB grows by far less', async () => {
  child = spawn(process.execPath, [new URL('fixtures/upload-server.ts', import.meta.url).pathname], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [first] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  const { url, key } = JSON.parse(first) as { url: string; key: string }

  const hash = createHash('sha256')
  for (const chunk of chunks()) hash.update(chunk)
  const answer = await fetch(`${url}/api/skills/large/stages/dev/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ size: SIZE, sha256: hash.digest('hex') }),
  })
  const ticket = (await answer.json()) as { url: string; headers: Record<string, string> }

  const before = memory(child.pid!)
  const put = request(ticket.url, { method: 'PUT', headers: { ...ticket.headers, 'content-length': SIZE } })
  const answered = once(put, 'response') as Promise<[import('node:http').IncomingMessage]>
  await pipeline(Readable.from(chunks()), put)
  const [response] = await answered
  response.resume()
  expect(response.statusCode).toBe(202)
  // What the collector leaves lying about is well below 100 MB; a body that is kept is 200 and more.
  expect(memory(child.pid!).peak - before.now).toBeLessThan(150 * MB)
})

/** 200 MB, each chunk another. */
function* chunks(): Generator<Buffer> {
  for (let i = 0; i < SIZE / MB; i++) yield Buffer.alloc(MB, i)
}

/** In bytes, as the kernel counts. */
function memory(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1024
  return { now: of('VmRSS'), peak: of('VmHWM') }
}
