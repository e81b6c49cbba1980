import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SURFACES } from './surfaces.ts'

test('docs/surfaces.md says what export makes, by whose demands', () => {
  const page = readFileSync(new URL('../../docs/surfaces.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| '))
  for (const [name, { profile }] of Object.entries(SURFACES)) {
    const row = rows.find((line) => line.includes(`--for ${name}\``) || line.includes(`--for ${name} `))
    expect(row, name).toContain(`| \`${profile}\` |`)
  }
})
