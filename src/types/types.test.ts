import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-types-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Checks a skill the way its author's compiler does. @returns What the compiler complains of. */
async function compile(source: string): Promise<string> {
  const options = {
    target: 'es2024',
    module: 'nodenext',
    lib: ['es2024', 'dom'],
    types: [],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    paths: { 'skillet/types': [fileURLToPath(new URL('index.ts', import.meta.url))] },
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await writeFile(join(folder, 'index.ts'), source)
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['index.ts'] }))
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
  const run = promisify(execFile)(process.execPath, [compiler, '-p', folder])
  return await run.then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
}

test('a skill in the usual form compiles: a value import of types, validate, env, fetch', async () => {
  const source = `
import { SkillContext, SkillExecuteResult } from 'skillet/types'
interface Input { place: string; scale?: 'metric' | 'imperial' }
interface Output { degrees: number; sky: string }
export async function validate(params: Input, context: SkillContext): Promise<boolean> {
  if (params.place.trim() === '') throw new Error('A place is needed.')
  return true
}
export async function execute(params: Input, context: SkillContext): Promise<Output> {
  const key = context.env.SKY_KEY
  if (!key) throw new Error('SKY_KEY is not set.')
  const answer = await fetch(\`https://sky.example/\${encodeURIComponent(params.place)}?key=\${key}\`, { signal: context.signal })
  const data = await answer.json()
  context.log('asked', context.run.id, context.run.attempt + 1, context.connections.db?.port, context.connections.db?.params.sslmode)
  return { degrees: params.scale === 'imperial' ? data.f : data.c, sky: data.sky }
}
export const later: SkillExecuteResult<Output> = Promise.resolve({ degrees: 1, sky: 'blue' })
`
  expect(await compile(source)).toBe('')
})

test('the types of the functions infer params and context, and refuse what does not fit', async () => {
  const good = `
import type { SkillExecute, SkillValidate } from 'skillet/types'
export const validate: SkillValidate<{ n: number }> = ({ n }) => n > 0
export const execute: SkillExecute<{ n: number }, { twice: number }> = async ({ n }, { log, run }) => {
  log(run.deadline)
  return { twice: 2 * n }
}`
  expect(await compile(good)).toBe('')
  expect(await compile(good.replace('2 * n', 'String(n)'))).toContain('TS2322')
  expect(await compile(good.replace('run.deadline', 'run.password'))).toContain('TS2339')
})
