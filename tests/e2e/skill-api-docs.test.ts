import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { TestServer } from './harness.ts'
import { skillFiles } from './skill-clients.ts'

/** The package that readers of the page would install, and ours of it. */
const PAGES = [
  {
    page: 'claude-skills-api.md',
    from: '@anthropic-ai/sdk',
    ours: 'anthropic-sdk-1.11.0',
    says: /^skill_\S+ my-skill \d+\n$/,
  },
  { page: 'openai-skills-api.md', from: 'openai', ours: 'openai', says: /^skill_\S+ my-skill 1 \d+\n$/ },
]

test.each(PAGES)('the example of docs/$page runs', async ({ page, from, ours, says }) => {
  const text = await readFile(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  const [, code] = /^```js\n([^]*?)^```$/m.exec(text)!
  const folder = await mkdtemp(join(tmpdir(), 'skillet-docs-'))
  const server = await TestServer.start()
  try {
    for (const [path, bytes] of Object.entries(skillFiles('my-skill'))) {
      await mkdir(dirname(join(folder, 'my-skill', path)), { recursive: true })
      await writeFile(join(folder, 'my-skill', path), bytes)
    }
    const example = join(folder, 'example.mjs')
    await writeFile(example, code!.replace(`'${from}'`, `'${import.meta.resolve(ours)}'`))
    const env = { ...process.env, SKILLET_URL: server.url, SKILLET_KEY: server.key }
    const { stdout } = await promisify(execFile)(process.execPath, [example], { cwd: folder, env })
    expect(stdout).toMatch(says)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true })
  }
})
