import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { EXIT } from '../src/cli/exit-codes.ts'
import { createProgram } from '../src/cli/program.ts'
import { processIo } from '../src/cli/io.ts'
import { AUDIT_ACTIONS } from '../src/model/audit.ts'
import { LIMITS, SIZES } from '../src/model/sizes.ts'
import { RESERVED_NAMES, RESERVED_PREFIXES } from '../src/runtime/reserved-env.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string): string => readFileSync(`${ROOT}/${file}`, 'utf8')

test('every path that ARCHITECTURE.md and README.md name exists', () => {
  for (const page of ['ARCHITECTURE.md', 'README.md']) {
    const paths = [...read(page).matchAll(/`((?:src|tests|scripts|bench|examples|docs|bin)\/[\w./-]*)`/g)].map(
      ([, path]) => path!,
    )
    expect(paths.filter((path) => !existsSync(`${ROOT}/${path}`))).toEqual([])
    const links = [...read(page).matchAll(/\]\((?!http|#)([^)#]+)/g)].map(([, path]) => path!)
    expect(links.filter((path) => !existsSync(`${ROOT}/${path}`))).toEqual([])
  }
})

test('every room is on the map', () => {
  const map = read('ARCHITECTURE.md')
  const rooms = readdirSync(`${ROOT}/src`, { withFileTypes: true }).map((one) =>
    one.isDirectory() ? `src/${one.name}/` : `src/${one.name}`,
  )
  expect(rooms.filter((room) => !room.endsWith('.test.ts') && !map.includes(`\`${room}\``))).toEqual([])
})

test('every dependency has a line that says why', () => {
  const page = read('ARCHITECTURE.md')
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  const all = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !name.startsWith('@types/'))
  expect(all.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})

test('docs/cli.md names every command and every exit code', async () => {
  const page = read('docs/cli.md')
  const program = await createProgram({ io: processIo(new AbortController().signal), exitCode: EXIT.ok }, '0.0.0', [])
  for (const { name, verbs } of program.commands.map((one) => ({
    name: one.name(),
    verbs: one.commands.map((verb) => verb.name()),
  }))) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${name}`))
    expect(row, name).toBeDefined()
    for (const verb of verbs) expect(row).toContain(verb)
  }
  const codes = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
  expect(codes).toEqual(Object.values(EXIT))
})

test('docs/limits.md names every limit and size with its figure', () => {
  const page = read('docs/limits.md')
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)].map(([, name, figure]) => [
    name,
    Number(figure!.replaceAll(',', '')),
  ])
  expect(Object.fromEntries(rows)).toEqual(LIMITS)
  for (const [name, { memory_mb, cpus, queue }] of Object.entries(SIZES)) {
    expect(page).toMatch(new RegExp(`^\\| ${name} \\| ${memory_mb} MB \\| ${cpus} \\| .* \\| ${queue} \\|$`, 'm'))
  }
})

test('docs/limits.md names every reserved name', () => {
  const named = [...read('docs/limits.md').matchAll(/`([A-Z][A-Z0-9_]*\*?)`/g)].map(([, name]) => name!)
  expect(named.slice(named.findIndex((name) => name.endsWith('*')))).toEqual([
    ...RESERVED_PREFIXES.map((prefix) => `${prefix}*`),
    ...RESERVED_NAMES,
  ])
})

test('docs/audit.md says when each action is written', () => {
  const cells = [...read('docs/audit.md').matchAll(/^\| (`.*`) \|/gm)].flatMap(([, cell]) => cell!.split(', '))
  expect(cells.map((cell) => cell.replaceAll('`', ''))).toEqual([...AUDIT_ACTIONS])
})
