import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCutLine, type CutLine } from '../http/fixtures/cut-line.ts'
import { packageOf } from '../http/fixtures/packages.ts'
import { finish, take } from '../http/fixtures/played-worker.ts'
import { CURSORS, type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import type { Activity } from '../model/activity.ts'
import { Bell } from '../runs/bell.ts'
import { runCli } from './run-cli.ts'

let server: TestServer
let cutLine: CutLine
beforeAll(async () => {
  server = await startTestServer({ slowMs: 5000 })
  cutLine = await openCutLine(server.url)
  await writeFile(join(server.dataDir, 'server.json'), JSON.stringify({ url: cutLine.url, pid: process.pid }))
  for (const skill of ['adder', 'other']) await server.deploy(skill, 'dev', packageOf(skill))
  await server.deploy('adder', 'prod', packageOf('adder'))
})
afterAll(async () => {
  await cutLine.close()
  expect(server.faults).toEqual([])
  await server.close()
})

async function run(skill: string, stage: string): Promise<string> {
  const path = `/api/skills/${skill}/stages/${stage}/invoke`
  const { body } = await server.call<{ run_id: string }>('POST', path, { input: { a: 1 } })
  await finish(server.engine, await take(server.engine, body.run_id))
  return body.run_id
}

/** The command, until it is interrupted. */
function start(...args: string[]) {
  const abort = new AbortController()
  const bell = new Bell()
  let [out, err] = ['', '']
  const code = runCli(['events', ...args], {
    out: (text) => {
      out += text
      bell.ring()
    },
    err: (text) => void (err += text),
    stdin: process.stdin,
    env: { HOME: '/nonexistent', SKILLET_DATA: server.dataDir },
    cwd: '/',
    tty: { out: false, err: false, in: false },
    platform: process.platform,
    signal: abort.signal,
  })
  const lines = (): string[] => out.split('\n').slice(0, -1)
  return {
    lines,
    async until(enough: (lines: string[]) => boolean): Promise<void> {
      for (bell.arm(); !enough(lines()); bell.arm()) await Promise.race([bell.wait(), code])
    },
    async interrupt() {
      abort.abort()
      return { code: await code, err }
    },
    code,
  }
}

test('prints what happens, and goes on after the connection broke', async () => {
  const { tenant } = (await server.call<{ tenant: string }>('GET', '/api/whoami')).body
  const began = await server.engine.activity.present(tenant)
  const events = start('--json')
  await printed(events, () => run('adder', 'dev'))
  const before = events.lines().length
  cutLine.cut()
  const ids = [await run('other', 'dev'), await run('adder', 'prod')]
  await events.until(({ length }) => length === before + 6)
  const { code, err } = await events.interrupt()
  expect([code, err]).toEqual([130, ''])
  const seen = events.lines().map((line) => JSON.parse(line) as Activity)
  expect([...new Set(seen.slice(before).map((one) => one.run))]).toEqual(ids)
  const all = await server.engine.activity.activity(tenant, began, 1000)
  const shown = all.map((one) => ({ ...one, id: CURSORS.seal(tenant, one.id) }))
  expect(seen).toEqual(shown.slice(-seen.length))
})

test('is limited to a skill, a stage and types, and is read by people', async () => {
  const followed = [
    start('--skill', 'adder'),
    start('--skill', 'adder', '--stage', 'prod'),
    start('--types', 'run.result'),
  ]
  for (const one of followed) {
    await printed(one, async () => {
      await run('other', 'dev')
      await run('adder', 'dev')
      return run('adder', 'prod')
    })
  }
  // A run's end is told after its beginning, maybe in a message of its own.
  for (const one of followed) await one.until((lines) => lines.at(-1)?.includes('succeeded') === true)
  const [skill, stage, results] = followed.map((one) => one.lines())
  await Promise.all(followed.map((one) => one.interrupt()))
  expect(skill!.filter((line) => line.includes('other/dev'))).toEqual([])
  expect(stage!.filter((line) => !line.includes('adder/prod'))).toEqual([])
  expect(results!.filter((line) => !line.includes('succeeded'))).toEqual([])
  expect(stage!.at(-1)).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}adder\/prod {2}run_\w+ {2}succeeded {2}2\.0 ms$/)
  expect(stage!.at(-2)).toMatch(/ {2}running$/)
})

test('says what is wrong with how it was called', async () => {
  for (const [args, code] of [
    [['--stage', 'dev'], 2],
    [['--skill', 'none'], 5],
    [['--skill', 'adder', '--stage', 'none'], 5],
    [['--types', 'run.log'], 1],
  ] as const) {
    expect([args, await start(...args).code]).toEqual([args, code])
  }
})

/** Lets it happen again and again until the command has begun to follow, and then once more, which is seen to its end. */
async function printed(events: ReturnType<typeof start>, happen: () => Promise<string>): Promise<void> {
  while (events.lines().length === 0) await happen()
  const id = await happen()
  await events.until((lines) => lines.some((line) => line.includes(id) && line.includes('succeeded')))
}
