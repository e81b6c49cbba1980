import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { hash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { httpServer } from '../../../tests/support/http-server.ts'
import { fetchIndexed } from './well-known.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-indexed-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const SCHEMA = 'https://schemas.agentskills.io/discovery/0.2.0/schema.json' as const
const never = new AbortController().signal

const DIGEST = `sha256:${hash('sha256', 'Tells.')}`
const one = (name: string, url: string) => ({ name, type: 'skill-md', url, digest: DIGEST })

test('an index elsewhere does not have this machine ask itself; its own may', async () => {
  let asked = 0
  await using server = await httpServer((_, response) => void (asked++, response.end('Tells.')))
  const index = { $schema: SCHEMA, skills: [one('guide', `${server.url}/x`)] }
  const faults = await fetchIndexed(index, new URL('https://skills.example/index.json'), folder, never)
  expect([asked, faults]).toEqual([0, [expect.stringContaining('on this machine')]])
  expect(await fetchIndexed(index, new URL(server.url), folder, never)).toEqual([])
})

test('what an index has twice, or at no URL, is a fault of that entry, and the others are taken', async () => {
  await using server = await httpServer((_, response) => response.end('Tells.'))
  const skills = [one('guide', 'a'), one('guide', 'b'), one('bad', 'https://'), one('last', 'c')]
  const faults = await fetchIndexed({ $schema: SCHEMA, skills }, new URL(server.url), folder, never)
  expect(faults).toEqual([expect.stringContaining('guide: The index has it twice'), expect.stringContaining('no URL')])
  expect((await readdir(folder)).toSorted()).toEqual(['guide', 'last'])
})
