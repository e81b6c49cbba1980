import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli } from '../support/cli.ts'
import { hasProgram } from '../support/has-program.ts'
import { TestServer } from './harness.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
let server: TestServer
let cwd: string
beforeAll(async () => {
  server = await TestServer.start()
  cwd = await mkdtemp(join(tmpdir(), 'skillet-readme-'))
  for (const name of ['bin', 'examples', 'node_modules']) await symlink(join(ROOT, name), join(cwd, name))
})
afterAll(async () => {
  await rm(cwd, { recursive: true, force: true })
  await server.stop()
})

test('the ten lines of the README about teams do what they say', async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const block = /## Teams[^]*?```sh\n([^]*?)```/.exec(readme)![1]!
  expect(block.trim().split('\n')).toHaveLength(10)
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: cwd,
    SKILLET_DATA: server.dataDir,
    TOKEN: 'ghp_of_the_readme',
  }
  const sh = (script: string) => promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd, env })
  const { stdout } = await sh(block)
  expect(stdout).toContain('"next_version": "2.0.0"')
  const as = async (key: string, command: string) => {
    const SKILLET_KEY = (await readFile(join(cwd, key), 'utf8')).trim()
    return cli([...command.split(' '), '--json'], { cwd, env: { SKILLET_DATA: server.dataDir, SKILLET_KEY } })
  }
  const acme = async <T>(command: string): Promise<T> => JSON.parse((await as('acme.key', command)).out) as T
  const { secret_refs } = await acme<{ secret_refs: object }>('stage config release-notes dev')
  expect(Object.keys(secret_refs)).toEqual(['GITHUB_TOKEN'])
  expect(await acme('audit list --action secret.use')).toMatchObject({ items: [{ action: 'secret.use' }] })
  expect(await acme('audit verify')).toMatchObject({ ok: true })
  expect(await as('globex.key', 'skill show release-notes')).toMatchObject({ code: 5 })
  expect(await as('ci.key', 'secret list')).toMatchObject({ code: 4 })
})

test('the lines of the README about dialects do what they say', async ({ skip }) => {
  skip(!hasProgram('curl'), 'this machine has no curl')
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const block = /## Every agent's dialect[^]*?```sh\n([^]*?)```/.exec(readme)![1]!
  const lines = block.trim().split('\n')
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: cwd,
    SKILLET_DATA: server.dataDir,
    SKILLET_URL: server.url,
    // What npx runs is among our dependencies: nothing is fetched, and nothing told to anybody.
    npm_config_offline: 'true',
    DO_NOT_TRACK: '1',
  }
  const sh = (script: string) => promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd, env })
  // What each of the last three prints is JSON on its own.
  const { stdout } = await sh(
    [...lines.slice(0, -3), ...lines.slice(-3).map((line) => `echo; echo ---; ${line}`)].join('\n'),
  )
  const [said, claude, openai, tools] = stdout.split('\n---\n')
  const own = await readFile(join(ROOT, 'examples/brand-guidelines/scripts/contrast.py'), 'utf8')
  for (const folder of ['.claude/skills', '.agents/skills']) {
    expect(await readFile(join(cwd, folder, 'brand-guidelines/scripts/contrast.py'), 'utf8')).toBe(own)
  }
  expect(said).toContain('brand-guidelines-')
  expect(JSON.parse(await readFile(join(cwd, '.mcp.json'), 'utf8'))).toMatchObject({
    mcpServers: { skillet: { type: 'http', url: `${server.url}/mcp` } },
  })
  expect(JSON.parse(claude!)).toMatchObject({ data: [{ type: 'skill', display_name: 'brand-guidelines' }] })
  expect(JSON.parse(openai!)).toMatchObject({ object: 'list', data: [{ object: 'skill', name: 'brand-guidelines' }] })
  expect(JSON.parse(tools!)).toMatchObject({ items: [{ name: 'brand-guidelines', input_schema: {} }] })
})

test('the lines of the README about schedules and backups do what they say', async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const block = /## By the clock[^]*?```sh\n([^]*?)```/.exec(readme)![1]!
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, HOME: cwd, SKILLET_DATA: server.dataDir }
  const sh = (script: string) => promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd, env })
  const { stdout } = await sh(block)
  expect(stdout).toContain('NEXT IN Europe/Berlin')
  expect(stdout).toMatch(/ 06:00 \+0[12]:00/)
  const schedule = '/api/skills/brand-guidelines/stages/dev/schedule'
  const shown = await server.ok<object>('GET', schedule)
  expect(shown).toMatchObject({ cron: '0 6 * * MON-FRI', enabled: true })
  expect(await cli(['restore', 'all-of-it.skillet', '--data', 'restored'], { cwd })).toMatchObject({ code: 0 })
  const restored = await TestServer.start({ dataDir: join(cwd, 'restored') })
  try {
    expect(shown).toMatchObject(await restored.ok<object>('GET', schedule))
  } finally {
    await restored.stop()
  }
})
