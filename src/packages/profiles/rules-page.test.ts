import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { AUTHORING_RULES } from './authoring-rules.ts'
import { FORMAT_RULES } from './format-rules.ts'
import { PROFILES } from './profile.ts'

const page = readFileSync(new URL('../../../docs/skill-md.md', import.meta.url), 'utf8')

test('docs/skill-md.md has every rule as it is', () => {
  const rows = page.split('\n').filter((line) => /^\| `(?:skill_md|authoring)\./.test(line))
  const expected = Object.entries({ ...FORMAT_RULES, ...AUTHORING_RULES }).map(([id, { levels, why }]) => {
    const cells = (['upload', ...PROFILES] as const).map((set) => (levels[set] === 'off' ? '' : levels[set]))
    return `| \`${id}\` | ${cells.join(' | ')} | ${why} |`
  })
  expect(rows).toEqual(expected)
})

test('and every profile', () => {
  const named = [...page.matchAll(/^\| `([\w-]+)` \| [^|]*\|$/gm)].map(([, name]) => name)
  expect(named).toEqual([...PROFILES])
})
