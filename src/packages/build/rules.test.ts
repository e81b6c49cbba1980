import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { SCAN_RULES } from '../inspect/rules.ts'
import { BUILD_RULES } from './rules.ts'

test('docs/code-rules.md says of every rule of the scan and of the build what the tables say', async () => {
  const page = await readFile(new URL('../../../docs/code-rules.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  const rules = Object.entries({ ...SCAN_RULES, ...BUILD_RULES })
  expect(rows.sort()).toEqual(
    rules.map(([id, { severity, why, fix }]) => `| \`${id}\` | ${severity} | ${why} | ${fix} |`).sort(),
  )
})

test('the programs in the sandbox report no rule that the tables do not list', async () => {
  const files = [
    ['../inspect/python/', ['__main__.py', 'handler.py', 'scan.py', 'secrets_in_text.py', 'source.py', 'tables.py']],
    ['../inspect/node/', ['main.mjs', 'entry.mjs', 'scan.mjs', 'tables.mjs']],
    [
      'program/',
      [
        '__main__.py',
        'node_build.py',
        'package_json.py',
        'python_build.py',
        'report.py',
        'requirements.py',
        'tools.py',
      ],
    ],
  ] as const
  const named = new Set<string>()
  for (const [folder, names] of files) {
    for (const name of names) {
      const source = await readFile(new URL(folder + name, import.meta.url), 'utf8')
      for (const [, rule] of source.matchAll(
        /["']((?:python|js|code|text|secret|build|scan)\.[a-z_]+(?:\.[a-z_]+)?)["']/g,
      )) {
        named.add(rule!)
      }
    }
  }
  // Names of modules and functions that look like rules.
  const rules = [...named].filter((name) => !/\.(?:py|mjs|ts|js)$/.test(name))
  expect(rules.length).toBeGreaterThan(60)
  expect(rules.filter((rule) => !(rule in SCAN_RULES) && !(rule in BUILD_RULES))).toEqual([])
})
