import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestServer } from './harness.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
let server: TestServer
let cwd: string
beforeAll(async () => {
  server = await TestServer.start()
  cwd = await mkdtemp(join(tmpdir(), 'skillet-readme-'))
  for (const name of ['bin', 'examples']) await symlink(join(ROOT, name), join(cwd, name))
})
afterAll(async () => {
  await rm(cwd, { recursive: true, force: true })
  await server.stop()
})

test('the ten lines of the README about teams do what they say', { timeout: 120_000 }, async () => {
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
  const acme = (command: string) => sh(`SKILLET_KEY=$(cat acme.key) bin/skillet.js ${command} --json`)
  const config = JSON.parse((await acme('stage config release-notes dev')).stdout) as { secret_refs: object }
  expect(Object.keys(config.secret_refs)).toEqual(['GITHUB_TOKEN'])
  expect(JSON.parse((await acme('audit list --action secret.use')).stdout)).toMatchObject({
    items: [{ action: 'secret.use' }],
  })
  expect(JSON.parse((await acme('audit verify')).stdout)).toMatchObject({ ok: true })
  await expect(sh('SKILLET_KEY=$(cat globex.key) bin/skillet.js skill show release-notes')).rejects.toMatchObject({
    code: 5,
  })
  await expect(sh('SKILLET_KEY=$(cat ci.key) bin/skillet.js secret list')).rejects.toMatchObject({ code: 4 })
})

test('the lines of the README about schedules and backups do what they say', { timeout: 120_000 }, async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const block = /## By the clock[^]*?```sh\n([^]*?)```/.exec(readme)![1]!
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, HOME: cwd, SKILLET_DATA: server.dataDir }
  const sh = (script: string) => promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd, env })
  const { stdout } = await sh(block)
  expect(stdout).toContain('NEXT IN Europe/Berlin')
  expect(stdout).toMatch(/ 06:00 \+0[12]:00/)
  const shown = JSON.parse((await sh('bin/skillet.js schedule show brand-guidelines dev --json')).stdout) as object
  expect(shown).toMatchObject({ cron: '0 6 * * MON-FRI', enabled: true })
  await sh('bin/skillet.js restore all-of-it.skillet --data restored')
  const restored = await TestServer.start({ dataDir: join(cwd, 'restored') })
  try {
    const schedule = '/api/skills/brand-guidelines/stages/dev/schedule'
    expect(shown).toMatchObject(await restored.ok<object>('GET', schedule))
  } finally {
    await restored.stop()
  }
})
