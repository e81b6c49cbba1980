import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DATABASE_FILE, type SqlEngine, openSqliteEngine } from '../../src/backends/sql/sql-engine.ts'
import { createRunWorker } from '../../src/runs/worker.ts'
import { createTicker } from '../../src/schedules/ticker.ts'
import { createAddressPolicy } from '../../src/net/policy.ts'
import { createDispatcher } from '../../src/webhooks/dispatcher.ts'
import { createWebhookSender } from '../../src/webhooks/send.ts'

const CLI = new URL('../../src/cli/main.ts', import.meta.url).pathname

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-readiness-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Part {
  start(): void
  stop(): Promise<void>
  check(): void
}

const nothing = (): never => {
  throw new Error('Nothing is due.')
}
const sender = createWebhookSender({ policy: createAddressPolicy({ own: () => null }), version: 'test' })

/** What works all the time, each with the table that it lives on. */
const PARTS: [string, string, (engine: SqlEngine, onError: (error: unknown) => void) => Part][] = [
  ['queue', 'Taking runs from the queue', (engine, onError) => createRunWorker(engine, nothing, { onError })],
  ['schedules', 'Firing schedules', (engine, onError) => createTicker({ engine, plan: nothing, onError })],
  [
    'webhooks',
    'Taking deliveries of webhooks',
    ({ webhooks }, onError) => createDispatcher({ webhooks, sender, secretOf: nothing, onError }),
  ],
]

test.each(PARTS)('what lives on the table "%s" is ready while it works, and only then', async (table, doing, make) => {
  const engine = await openSqliteEngine({ folder })
  const disk = new DatabaseSync(join(folder, DATABASE_FILE))
  const errors: string[] = []
  const part = make(engine, (error) => void errors.push(String(error)))
  try {
    expect(() => part.check()).toThrow('has not begun.')
    disk.exec(`ALTER TABLE ${table} RENAME TO lost`)
    part.start()
    // One failure is none to speak of.
    await expect.poll(() => errors.length).toBeGreaterThan(0)
    expect(() => part.check()).not.toThrow()
    await expect.poll(() => faultOf(part)).toMatch(new RegExp(`^${doing}.* failed 3 times in a row.`))
    expect(errors.every((error) => error.includes(table))).toBe(true)
    disk.exec(`ALTER TABLE lost RENAME TO ${table}`)
    await expect.poll(() => faultOf(part)).toBe(null)
  } finally {
    disk.close()
    await part.stop()
    await engine.close()
  }
  expect(faultOf(part)).toContain('the server stops')
})

function faultOf(part: Part): string | null {
  try {
    part.check()
    return null
  } catch (error) {
    expect((error as { fix: string }).fix).not.toBe('')
    return (error as Error).message
  }
}

interface Readiness {
  ready: boolean
  checks: { name: string; ok: boolean; fix: string | null }[]
}

test('a server on a full disk says so, answers all the while, and is ready again when there is room', async () => {
  const server = spawn(process.execPath, [CLI, 'serve', '--port', '0', '--data', folder, '--log', 'off', '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    await once(server.stdout, 'data')
    const { url } = JSON.parse(await readFile(join(folder, 'server.json'), 'utf8')) as { url: string }
    const look = async (): Promise<[number, Readiness]> => {
      const answer = await fetch(`${url}/readyz`)
      return [answer.status, (await answer.json()) as Readiness]
    }
    const [status, { ready, checks }] = await look()
    expect([status, ready]).toEqual([200, true])
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['state', 'vault', 'disk', 'worker', 'schedules', 'webhooks']),
    )
    // Files may grow no further: writes end with EFBIG, as they do with ENOSPC on a full disk.
    limitFiles(server, '4096')
    const [full, found] = await look()
    expect([full, found.ready]).toEqual([503, false])
    expect(found.checks.filter(({ ok }) => !ok)).toEqual([
      expect.objectContaining({ name: 'state', fix: expect.stringContaining('Make room') }),
    ])
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    limitFiles(server, 'unlimited')
    expect((await look())[0]).toBe(200)
  } finally {
    server.kill()
    await once(server, 'exit')
  }
})

/** Only the soft limit, which can be lifted again. */
function limitFiles({ pid }: ChildProcess, bytes: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
}
