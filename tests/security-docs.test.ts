import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { CASES } from '../abuse/cases.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

test('docs/security.md has each of the 61 attacks under a promise', () => {
  const rows = [...read('docs/security.md').matchAll(/^\| \*\*.*?\| ([\d, ]+) \|/gm)].map(([, numbers]) => numbers!)
  expect(rows.length).toBeGreaterThan(10)
  const named = new Set(rows.flatMap((numbers) => numbers.split(',').map(Number)))
  expect([...named].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 61 }, (_, i) => i + 1))
  expect(CASES.map(({ number }) => number).filter((number) => !named.has(number))).toEqual([])
})

test.each(['docs/security.md', 'docs/deployment.md', 'SECURITY.md', 'deploy/container/README.md'])(
  'every file that %s names exists',
  (page) => {
    const text = read(page)
    const paths = [...text.matchAll(/`((?:src|tests|abuse|deploy|docs)\/[\w./-]+)`/g)].map(([, path]) => path!)
    const links = [...text.matchAll(/\]\((?!http|#)([^)#]+)/g)].map(([, path]) => join(dirname(page), path!))
    expect(paths.length + links.length).toBeGreaterThan(0)
    expect([...paths, ...links].filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  },
)
