import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type CliResult, cli } from '../../tests/support/cli.ts'
import { DATABASE_FILE } from '../backends/sql/sql-engine.ts'
import { type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import type { AuditEvent } from '../model/audit.ts'

let server: TestServer
let cwd: string
beforeAll(async () => {
  server = await startTestServer()
  cwd = await mkdtemp(join(tmpdir(), 'skillet-audit-commands-'))
  await writeFile(join(server.dataDir, 'server.json'), JSON.stringify({ url: server.url, pid: process.pid }))
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await server.call('POST', '/api/skills', { name })
})
afterAll(async () => {
  await rm(cwd, { recursive: true, force: true })
  await server.close()
})

/** Somebody who has the database file, and no use for our code. */
let intruder: DatabaseSync
let before: unknown[]
beforeEach(() => {
  intruder = new DatabaseSync(join(server.dataDir, DATABASE_FILE))
  before = intruder.prepare('SELECT * FROM audit').all()
})
afterEach(() => {
  intruder.exec('DELETE FROM audit')
  for (const row of before as Record<string, string>[]) {
    const names = Object.keys(row)
    intruder
      .prepare(`INSERT INTO audit (${names.join()}) VALUES (${names.map(() => '?').join()})`)
      .run(...Object.values(row))
  }
  intruder.close()
})

const skillet = (...args: string[]): Promise<CliResult> => cli(args, { env: { SKILLET_DATA: server.dataDir }, cwd })

const OF_OWNER = `tenant = (SELECT tenant FROM audit WHERE action = 'skill.create' LIMIT 1)`

test('a log that nobody touched holds, and the end that is printed can be expected later', async () => {
  const first = await skillet('audit', 'verify')
  expect(first).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^ok {4}6 rows, none changed/) })
  const end = first.out.trim().split('\n').at(-1)!
  await server.call('POST', '/api/skills', { name: 'later' })
  before = intruder.prepare('SELECT * FROM audit').all()
  expect((await skillet('audit', 'verify', '--expect', end)).out).toMatch(/^ok {4}7 rows/)
  const other = await skillet('audit', 'verify', '--expect', `6:${'0'.repeat(64)}`)
  expect(other).toMatchObject({ code: 1, out: '', err: expect.stringContaining('row 6 is not the one that it was') })
  const beyond = await skillet('audit', 'verify', '--expect', `99:${'0'.repeat(64)}`)
  expect(beyond).toMatchObject({ code: 1, err: expect.stringContaining('rows 8 to 99 are missing at the end') })
  expect((await skillet('audit', 'verify', '--expect', 'x')).code).toBe(2)
})

test.each([
  ['edited', `UPDATE audit SET actor = 'key_other' WHERE ${OF_OWNER} AND seq = 3`, 'row 3 was changed'],
  [
    'edited in its detail',
    `UPDATE audit SET detail = '{"name":"x"}' WHERE ${OF_OWNER} AND seq = 2`,
    'row 2 was changed',
  ],
  ['spoilt', `UPDATE audit SET detail = '{"na' WHERE ${OF_OWNER} AND seq = 2`, 'row 2 was changed'],
  ['made another thing', `UPDATE audit SET detail = '7' WHERE ${OF_OWNER} AND seq = 2`, 'row 2 was changed'],
  ['numbered 0', `UPDATE audit SET seq = 0 WHERE ${OF_OWNER} AND seq = 1`, 'row 1 is missing'],
  [
    'numbered beyond all',
    `UPDATE audit SET seq = 9223372036854775000 WHERE ${OF_OWNER} AND seq = 4`,
    'row 4 is missing',
  ],
  ['numbered by letters', `UPDATE audit SET seq = 'x' WHERE ${OF_OWNER} AND seq = 4`, 'row 4 is missing'],
  ['numbered in between', `UPDATE audit SET seq = 2.5 WHERE ${OF_OWNER} AND seq = 4`, 'row 3 is not a row'],
  ['given another hash', `UPDATE audit SET hash = 'x' WHERE ${OF_OWNER} AND seq = 4`, 'row 4 was changed'],
  [
    'added behind the end',
    `INSERT INTO audit SELECT tenant, h.seq + 1, at, actor_kind, actor, action, target_kind, target, outcome, request_id, client,
     before, after, detail, previous, a.hash FROM audit a JOIN audit_heads h USING (tenant) WHERE ${OF_OWNER} AND a.seq = 1`,
    'does not follow from the row before it',
  ],
  ['removed', `DELETE FROM audit WHERE ${OF_OWNER} AND seq = 4`, 'row 4 is missing'],
  ['cut off the end', `DELETE FROM audit WHERE ${OF_OWNER} AND seq >= 6`, 'are missing at the end'],
  [
    'moved',
    `UPDATE audit SET seq = -1 WHERE ${OF_OWNER} AND seq = 3; UPDATE audit SET seq = 3 WHERE ${OF_OWNER} AND seq = 4;
     UPDATE audit SET seq = 4 WHERE ${OF_OWNER} AND seq = -1`,
    'row 3 does not follow from the row before it',
  ],
])('a row that was %s is named', async (_how, sql, fault) => {
  intruder.exec(sql)
  const found = await skillet('audit', 'verify')
  expect(found).toMatchObject({ code: 1, out: '', err: expect.stringContaining(fault) })
  const json = await skillet('audit', 'verify', '--json')
  expect(JSON.parse(json.err)).toMatchObject({ error: { detail: expect.stringContaining(fault), exit_code: 1 } })
  // Whatever was done to one row, the others can be read.
  expect((await skillet('audit', 'list', '--target', 'nothing')).code).toBe(0)
  expect((await skillet('audit', 'list')).code).toBe(0)
})

test('an export is a file of its owner alone, can be verified by itself, and shows what was done to it', async () => {
  expect((await skillet('audit', 'export', '--output', 'log.jsonl')).out).toMatch(/^\d+ rows in .*log\.jsonl/)
  const file = join(cwd, 'log.jsonl')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await skillet('audit', 'export', '--output', 'log.jsonl')).code).toBe(2)
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  expect((await skillet('audit', 'export')).out).toBe(`${lines.join('\n')}\n`)
  expect((await skillet('audit', 'export', '--after', '5')).out).toBe(`${lines.slice(5).join('\n')}\n`)
  expect((JSON.parse(lines[0]!) as AuditEvent).action).toBe('skill.create')
  expect((await skillet('audit', 'verify', '--file', 'log.jsonl')).code).toBe(0)
  for (const [content, fault] of [
    [lines.map((line, i) => (i === 1 ? line.replace('skill.create', 'skill.delete') : line)), 'row 2 was changed'],
    [lines.toSpliced(2, 1), 'row 3 is missing'],
    [lines.map((line, i) => (i === 2 ? line.slice(0, 20) : line)), 'row 3 is not JSON'],
    [lines.map((line, i) => (i === 2 ? '{}' : line)), 'row 3 is not a row of an audit log'],
  ] as const) {
    await writeFile(join(cwd, 'edited.jsonl'), content.join('\n'))
    const found = await skillet('audit', 'verify', '--file', 'edited.jsonl')
    expect(found).toMatchObject({ code: 1, err: expect.stringContaining(fault) })
  }
})

test('a file that cannot be read is no fault of ours, and no half of an export stays', async () => {
  for (const file of ['nowhere.jsonl', '.']) {
    const missing = await skillet('audit', 'verify', '--file', file)
    expect(missing).toMatchObject({ code: 2, out: '', err: expect.stringContaining('The log cannot be read from') })
  }
  const refused = await cli(['audit', 'export', '--output', 'none.jsonl'], {
    env: { SKILLET_DATA: server.dataDir, SKILLET_URL: server.url, SKILLET_KEY: 'sk_wrong' },
    cwd,
  })
  expect(refused.code).toBe(4)
  await expect(stat(join(cwd, 'none.jsonl'))).rejects.toThrow('ENOENT')
})

test('the list tells who did what from where; the operator has a log of its own', async () => {
  await skillet('tenant', 'create', 'acme')
  before = intruder.prepare('SELECT * FROM audit').all()
  const listed = await skillet('audit', 'list', '--limit', '2', '--action', 'skill.create')
  expect(listed.out).toMatch(
    /^ROW +AT +ACTION +OUTCOME +ACTOR +TARGET +CLIENT\n\d+ .* skill\.create +done +key_\w+ +skl_\w+ +(::ffff:)?127\.0\.0\.1/,
  )
  expect((await skillet('audit', 'list', '--operator')).out).toMatch(/ tenant\.create +done +key_\w+ +ten_/)
  expect((await skillet('audit', 'verify', '--operator')).code).toBe(0)
  expect((await skillet('audit', 'list', '--action', 'nothing')).code).toBe(2)
})
