import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestBuilds, openTestBuilds } from './test-builds.ts'

let builds: TestBuilds
beforeAll(async () => {
  builds = await openTestBuilds()
})
afterAll(() => builds.close())

const rules = ({ findings }: { findings: { rule: string }[] }): string[] => findings.map((one) => one.rule)

test('a Python package without dependencies: its files, compiled, and what to import beforehand', async () => {
  const deep = `${'deep-folder-name/'.repeat(12)}ünïcode.txt`
  const contents = {
    'main.py': 'import json, xml.etree.ElementTree\ndef handler(input: dict) -> dict:\n    return {}\n',
    [deep]: 'far down',
    'template.py': '{{ not python }',
    '.skillet/index.mjs': 'planted',
    '__pycache__/main.cpython-311.pyc': 'planted',
    'data.bin': new Uint8Array(70_000).fill(7),
  }
  const built = await builds.build('python', contents)
  expect(rules(built)).toEqual([])
  expect(built.handler).toEqual({ kind: 'python', file: 'main.py', function: 'handler', takes_context: false })
  expect(built.locks).toEqual({})

  const folder = await builds.extract(built.bundle_blob!)
  expect(await readFile(join(folder, deep), 'utf8')).toBe('far down')
  expect((await readFile(join(folder, 'data.bin'))).length).toBe(70_000)
  expect(await readdir(join(folder, '.skillet'))).toEqual(['preimport.json'])
  expect(JSON.parse(await readFile(join(folder, '.skillet/preimport.json'), 'utf8'))).toEqual([
    'json',
    'xml.etree.ElementTree',
  ])
  const compiled = await readdir(join(folder, '__pycache__'))
  expect(compiled).toHaveLength(1)
  expect(await readFile(join(folder, '__pycache__', compiled[0]!), 'latin1')).not.toContain('planted')
  expect((await stat(join(folder, 'main.py'))).mtimeMs).toBe(0)

  const again = await builds.build('python', contents)
  expect(again.bundle_blob).toBe(built.bundle_blob)
})

test('a TypeScript package is bundled into one module that runs', async () => {
  const built = await builds.build('typescript', {
    'index.ts': `
      import { SkillContext, SkillExecuteResult } from '@agent-spm/types'
      import { readFileSync } from 'node:fs'
      import { shout } from './lib/shout.ts'
      export async function validate(params: { word: string }, context: SkillContext): Promise<boolean> { return params.word !== '' }
      export async function execute(params: { word: string }, context: SkillContext): Promise<{ said: string }> {
        return { said: shout(params.word) + typeof readFileSync }
      }`,
    'lib/shout.ts': `import old from './old.cjs'\nexport const shout = (word: string): string => old(word.toUpperCase())`,
    'lib/old.cjs': `const path = require('node:path'); module.exports = (word) => path.basename(__filename) + word`,
    'tsconfig.json': '{ "extends": "not-there", "compilerOptions": { "verbatimModuleSyntax": true } }',
  })
  expect(rules(built)).toEqual([])
  expect(built.handler).toEqual({ kind: 'node', file: '.skillet/index.mjs', validates: true })
  const module = (await load(built.bundle_blob!)) as {
    execute(params: object): Promise<unknown>
    validate(params: object): Promise<unknown>
  }
  expect(await module.execute({ word: 'hi' })).toEqual({ said: 'index.mjsHIfunction' })
  expect(await module.validate({ word: '' })).toBe(false)
})

test('what a compiler to CommonJS made is an entry too', async () => {
  const built = await builds.build('typescript', {
    'dist/index.js': `"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\nexports.execute = execute;\nasync function execute(params) { return { got: params.x } }`,
  })
  expect(rules(built)).toEqual([])
  const module = (await load(built.bundle_blob!)) as { execute(params: object): Promise<unknown>; validate: unknown }
  expect(await module.execute({ x: 1 })).toEqual({ got: 1 })
  expect(module.validate).toBeUndefined()
})

test('a SKILL.md folder is bundled as it is', async () => {
  const built = await builds.build('skill-md', {
    'SKILL.md': '# Hi',
    'scripts/run.py': 'print(1)',
    'reference/a.md': 'A',
  })
  expect(rules(built)).toEqual([])
  expect(built.handler).toEqual({ kind: 'skill-md', scripts: ['scripts/run.py'] })
  const folder = await builds.extract(built.bundle_blob!)
  expect(await readFile(join(folder, 'reference/a.md'), 'utf8')).toBe('A')
})

test('every import that cannot be bundled is named with its place, in words without our folders', async () => {
  const built = await builds.build('typescript', {
    'index.ts': `import x from 'nowhere-to-be-found'\nimport y from './lib/gone.ts'\nimport z from './addon.node'\nexport async function execute() { return [x, y, z] }`,
    'addon.node': 'compiled',
  })
  expect(built.findings.map((one) => [one.rule, one.severity, one.file, one.line])).toEqual([
    ['build.unresolved_import', 'deny', 'index.ts', 1],
    ['build.unresolved_import', 'deny', 'index.ts', 2],
    ['build.native_addon', 'deny', 'index.ts', 3],
  ])
  expect(built.findings[0]!.message).toContain('nowhere-to-be-found')
  expect(JSON.stringify(built.findings)).not.toMatch(/\/scratch|\/opt|\/package\b|Traceback/)
  expect(built.bundle_blob).toBeNull()
})

const HANDLER = 'def handler(input): pass'
const EXECUTE = 'export async function execute() {}'
test('types of Skillet and development tools are not fetched', async () => {
  const indexes = { python: unreachable, node: unreachable }
  const manifest = {
    dependencies: { '@agent-spm/types': '^1.0.0' },
    devDependencies: { typescript: '*', local: 'file:x' },
  }
  const built = await builds.build(
    'typescript',
    { 'index.ts': EXECUTE, 'package.json': JSON.stringify(manifest) },
    { indexes },
  )
  expect(rules(built)).toEqual([])
  expect(built.bundle_blob).not.toBeNull()
})

test('a bundle over the limit is not kept', async () => {
  const built = await builds.build(
    'python',
    { 'main.py': HANDLER, 'data.bin': new Uint8Array(300_000) },
    { bundleBytes: 200_000 },
  )
  expect(rules(built)).toEqual(['build.too_large'])
  expect(built.bundle_blob).toBeNull()
})

function unreachable(): Promise<never> {
  return Promise.reject(new Error('nothing may be fetched here'))
}

async function load(blob: string): Promise<unknown> {
  const folder = await builds.extract(blob)
  return await import(/* @vite-ignore */ pathToFileURL(join(folder, '.skillet/index.mjs')).href)
}
