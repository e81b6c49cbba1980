import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestBuilds, openTestBuilds } from './test-builds.ts'

let builds: TestBuilds
beforeAll(async () => {
  builds = await openTestBuilds()
})
afterAll(() => builds.close())

const HANDLER = 'def handler(input): pass'
const EXECUTE = 'export async function execute() {}'
const REFUSED: [name: string, files: Record<string, string>, rule: string, line: number | null][] = [
  ['a git URL', { 'main.py': HANDLER, 'requirements.txt': 'six\nx @ git+https://host/x' }, 'build.direct_url', 2],
  ['a bare git URL', { 'main.py': HANDLER, 'requirements.txt': 'git+https://host/x#egg=x' }, 'build.direct_url', 1],
  [
    'a wheel by URL',
    { 'main.py': HANDLER, 'requirements.txt': 'https://host/x-1-py3-none-any.whl' },
    'build.direct_url',
    1,
  ],
  ['a path', { 'main.py': HANDLER, 'requirements.txt': './vendored' }, 'build.direct_url', 1],
  ['a wheel by name', { 'main.py': HANDLER, 'requirements.txt': 'vendored/x.whl' }, 'build.direct_url', 1],
  ['an editable', { 'main.py': HANDLER, 'requirements.txt': '-e .' }, 'build.index_option', 1],
  [
    'an index',
    { 'main.py': HANDLER, 'requirements.txt': '# c\n\n--index-url=https://host/simple\nsix' },
    'build.index_option',
    3,
  ],
  [
    'a further index',
    { 'main.py': HANDLER, 'requirements.txt': '--extra-index-url \\\n https://host/simple' },
    'build.index_option',
    1,
  ],
  ['another file', { 'main.py': HANDLER, 'requirements.txt': '-r other.txt' }, 'build.index_option', 1],
  [
    'an option behind a name',
    { 'main.py': HANDLER, 'requirements.txt': 'six --config-settings=x' },
    'build.requirement',
    1,
  ],
  [
    'a git dependency',
    { 'index.ts': EXECUTE, 'package.json': dependencies({ x: 'git+ssh://host/x' }) },
    'build.direct_url',
    null,
  ],
  [
    'a GitHub shorthand',
    { 'index.ts': EXECUTE, 'package.json': dependencies({ x: 'owner/repository' }) },
    'build.direct_url',
    null,
  ],
  ['a folder', { 'index.ts': EXECUTE, 'package.json': dependencies({ x: 'file:../x' }) }, 'build.direct_url', null],
  [
    'a tarball',
    { 'index.ts': EXECUTE, 'package.json': dependencies({ x: 'https://host/x.tgz' }) },
    'build.direct_url',
    null,
  ],
  [
    'an alias of one',
    { 'index.ts': EXECUTE, 'package.json': dependencies({ x: 'npm:y@https://host/x.tgz' }) },
    'build.direct_url',
    null,
  ],
  [
    'an override',
    {
      'index.ts': EXECUTE,
      'package.json': JSON.stringify({ dependencies: { x: '1' }, overrides: { x: { y: 'git://host/y' } } }),
    },
    'build.direct_url',
    null,
  ],
  [
    'a lock that leads elsewhere',
    {
      'index.ts': EXECUTE,
      'package.json': dependencies({ x: '1' }),
      'package-lock.json': lock({ resolved: 'git+ssh://host/x#1' }),
    },
    'build.direct_url',
    null,
  ],
  [
    'a lock without a hash',
    {
      'index.ts': EXECUTE,
      'package.json': dependencies({ x: '1' }),
      'package-lock.json': lock({ resolved: 'https://host/x/-/x-1.tgz' }),
    },
    'build.hash_missing',
    null,
  ],
  ['no JSON', { 'index.ts': EXECUTE, 'package.json': '{' }, 'build.requirement', null],
]

test.each(REFUSED)('refused before anything is fetched: %s', async (_name, files, rule, line) => {
  const indexes = { python: unreachable, node: unreachable }
  const built = await builds.build('main.py' in files ? 'python' : 'typescript', files, { indexes })
  expect(built.findings.map((one) => [one.rule, one.severity, one.line])).toEqual([[rule, 'deny', line]])
  expect(built.bundle_blob).toBeNull()
})

function dependencies(wanted: object): string {
  return JSON.stringify({ dependencies: wanted })
}

function lock(one: object): string {
  return JSON.stringify({ lockfileVersion: 3, packages: { '': {}, 'node_modules/x': { version: '1.0.0', ...one } } })
}

function unreachable(): Promise<never> {
  return Promise.reject(new Error('nothing may be fetched here'))
}
