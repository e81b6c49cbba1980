import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli } from '../support/cli.ts'
import { TestServer } from './harness.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
let server: TestServer
let cwd: string
beforeAll(async () => {
  server = await TestServer.start()
  cwd = await mkdtemp(join(tmpdir(), 'skillet-distribution-docs-'))
  const env = { SKILLET_URL: server.url, SKILLET_KEY: server.key }
  await cp(join(ROOT, 'examples/brand-guidelines'), join(cwd, 'skills-repository/skills/brand-guidelines'), {
    recursive: true,
  })
  const deploying = ['deploy', 'skills-repository/skills/brand-guidelines', '--stage', 'prod', '--yes']
  const { code, err } = await cli(deploying, { cwd, env })
  if (code !== 0) throw new Error(err)
  // What the page calls by name, as it lies in this clone: nothing is fetched.
  await mkdir(join(cwd, 'bin'))
  await shim('skillet', `"${join(ROOT, 'bin/skillet.js')}" "$@"`)
  await shim(
    'npx',
    `[ "$1" = skills@1.7.4 ] && shift && "${process.execPath}" "${join(ROOT, 'node_modules/skills/bin/cli.mjs')}" "$@"`,
  )
})
afterAll(async () => {
  await rm(cwd, { recursive: true, force: true })
  await server.stop()
})

async function shim(name: string, line: string): Promise<void> {
  await writeFile(join(cwd, 'bin', name), `#!/bin/sh\n${line}\n`)
  await chmod(join(cwd, 'bin', name), 0o755)
}

test('every command of docs/distribution.md does what it says', async () => {
  const page = await readFile(join(ROOT, 'docs/distribution.md'), 'utf8')
  const [install, links, repositories] = [...page.matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => block!)
  const env = {
    PATH: `${join(cwd, 'bin')}:${dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: cwd,
    DISABLE_TELEMETRY: '1',
    SKILLET_URL: server.url,
    SKILLET_KEY: server.key,
  }
  const sh = async (script: string): Promise<string> =>
    (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd, env })).stdout
  const installed = await sh(install!)
  expect(installed).toMatch(/brand-guidelines +1\.0\.0 +installed +\.agents\/skills/)
  expect(installed.match(/^ok /gm)).toHaveLength(2)
  expect(installed).toContain('.claude/skills/brand-guidelines is removed.')
  // Their client gives up on its own after some seconds, which a machine that stands still may take.
  const linked = await sh(links!).catch(() => sh(links!))
  expect(linked).toContain('for the team')
  expect(await readdir(join(cwd, '.claude/skills/brand-guidelines'))).toContain('SKILL.md')
  const imported = await sh(repositories!)
  expect(imported).toContain('1 valid')
  expect(imported).toContain('1 unchanged')
})
