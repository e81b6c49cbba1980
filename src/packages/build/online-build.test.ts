import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestBuilds, openTestBuilds } from './test-builds.ts'

// These reach the package indexes of this machine's own clients; where they cannot be reached, the tests fail.
let builds: TestBuilds
beforeAll(async () => {
  builds = await openTestBuilds()
})
afterAll(() => builds.close())

const rules = ({ findings }: { findings: { rule: string }[] }): string[] => findings.map((one) => one.rule)
const HANDLER = 'def handler(input): pass\n'

let requirementsLock: string

test('Python: a dependency is fetched, locked with hashes, and named for importing beforehand', async () => {
  const source = `import semver, json, not_declared\n${HANDLER}`
  const built = await builds.build('python', { 'main.py': source, 'requirements.txt': 'semver>=3,<4  # versions\n' })
  expect(rules(built)).toEqual(['python.import.undeclared'])
  expect(built.findings[0]!.message).toContain('not_declared')
  requirementsLock = built.locks['requirements.lock']!
  expect(requirementsLock).toMatch(/^semver==3\.\d+\.\d+ \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n)+$/)

  const folder = await builds.extract(built.bundle_blob!)
  const installed = await readdir(join(folder, '.skillet/site-packages/semver'))
  expect(installed).toContain('__init__.py')
  expect(installed).toContain('__pycache__')
  expect(JSON.parse(await readFile(join(folder, '.skillet/preimport.json'), 'utf8'))).toEqual(['semver', 'json'])
})

test('Python: requirements with hashes are used as they are, and a wrong hash is refused', async () => {
  const good = await builds.build('python', {
    'main.py': `import semver\n${HANDLER}`,
    'requirements.txt': requirementsLock,
  })
  expect(rules(good)).toEqual([])
  expect(good.locks['requirements.lock']!.match(/sha256:\w+/g)!.sort()).toEqual(
    requirementsLock.match(/sha256:\w+/g)!.sort(),
  )

  const forged = requirementsLock.replace(/sha256:[0-9a-f]{64}/g, `sha256:${'0'.repeat(64)}`)
  const bad = await builds.build('python', { 'main.py': HANDLER, 'requirements.txt': forged })
  expect(rules(bad)).toEqual(['build.hash_mismatch'])
  expect(bad.bundle_blob).toBeNull()
})

test('Python: what the index does not have is said', async () => {
  const name = await builds.build('python', {
    'main.py': HANDLER,
    'requirements.txt': 'skillet-nowhere-to-be-found-7f3a\n',
  })
  expect(rules(name)).toEqual(['build.dependency_not_found'])
  const version = await builds.build('python', { 'main.py': HANDLER, 'requirements.txt': 'semver==999.0\n' })
  expect(rules(version)).toEqual(['build.dependency_not_found'])
  expect(version.findings[0]!.message).toContain('semver==999.0')
  const conflict = await builds.build('python', { 'main.py': HANDLER, 'requirements.txt': 'semver<3\nsemver>=3\n' })
  expect(['build.dependency_conflict', 'build.dependency_not_found']).toContain(rules(conflict)[0])
})

test('a full disk and a full memory end the build with their names', async () => {
  const contents = { 'main.py': HANDLER, 'requirements.txt': 'pip\n' }
  expect(rules(await builds.build('python', contents, { diskMb: 2 }))).toEqual(['build.disk_full'])
  expect(rules(await builds.build('python', contents, { diskMb: 8, memoryMb: 12 }))).toEqual(['build.memory'])
})

const MANIFEST = JSON.stringify({ dependencies: { ms: '^2.1.0' } })
const INDEX = `import ms from 'ms'\nexport async function execute(params: { span: string }) { return ms(params.span as '1h') }\n`
let packageLock: string

test('TypeScript: a dependency is fetched, bundled, and a lock is made', async () => {
  const built = await builds.build('typescript', { 'index.ts': INDEX, 'package.json': MANIFEST })
  expect(rules(built)).toEqual([])
  packageLock = built.locks['package-lock.json']!
  expect(JSON.parse(packageLock).packages['node_modules/ms'].integrity).toMatch(/^sha512-/)
  expect(packageLock).not.toContain('://')
  const folder = await builds.extract(built.bundle_blob!)
  const module = (await import(/* @vite-ignore */ pathToFileURL(join(folder, '.skillet/index.mjs')).href)) as {
    execute(params: object): Promise<unknown>
  }
  expect(await module.execute({ span: '2h' })).toBe(7_200_000)
})

test('TypeScript: a lock that comes along is followed, and one that does not fit is refused', async () => {
  const contents = { 'index.ts': INDEX, 'package.json': MANIFEST, 'package-lock.json': packageLock }
  const good = await builds.build('typescript', contents)
  expect(rules(good)).toEqual([])
  expect(JSON.parse(good.locks['package-lock.json']!).packages['node_modules/ms']).toEqual(
    JSON.parse(packageLock).packages['node_modules/ms'],
  )
  const changed = await builds.build('typescript', {
    ...contents,
    'package.json': MANIFEST.replace('^2.1.0', '^1.0.0'),
  })
  expect(rules(changed)).toEqual(['build.lock_out_of_step'])
  const forged = packageLock.replace(/sha512-[^"]+/, `sha512-${'A'.repeat(86)}==`)
  expect(rules(await builds.build('typescript', { ...contents, 'package-lock.json': forged }))).toEqual([
    'build.hash_mismatch',
  ])
})

test('TypeScript: what the registry does not have is said', async () => {
  const manifest = JSON.stringify({ dependencies: { '@skillet-nowhere/to-be-found-7f3a': '1' } })
  const built = await builds.build('typescript', { 'index.ts': INDEX, 'package.json': manifest })
  expect(rules(built)).toEqual(['build.dependency_not_found'])
})

test('a build that wants to go elsewhere is refused, and the host is named', async () => {
  const network = [{ name: 'other.invalid', wildcard: false, ports: [443] }]
  const indexes = { ...builds.indexes, python: async () => ({ url: 'https://index.invalid/simple', network }) }
  const built = await builds.build('python', { 'main.py': HANDLER, 'requirements.txt': 'semver\n' }, { indexes })
  expect(rules(built).sort()).toEqual(['build.index_unreachable', 'build.network_denied'])
  expect(built.findings.find((one) => one.severity === 'warn')!.message).toContain('index.invalid')
})
