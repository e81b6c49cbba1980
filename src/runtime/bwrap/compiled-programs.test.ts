import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { compilePrograms } from './compiled-programs.ts'

const PYTHON = '/usr/bin/python3'

function programs(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'skillet-programs-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

test('a program is compiled beside the first who asks for it, and for no other', async () => {
  const folder = programs({ 'hello.py': 'print("hello")', 'other.py': '' })
  const compiled = compilePrograms(folder)
  expect(readdirSync(folder)).toHaveLength(2)
  expect(compiled.name('hello', PYTHON)).toBe('hello.py')
  await compiled.settled()
  const name = compiled.name('hello', PYTHON)
  expect(name).toMatch(/^hello-.*\.pyc$/)
  expect(execFileSync(PYTHON, [join(folder, name)], { encoding: 'utf8' })).toBe('hello\n')
  expect(readdirSync(folder)).toHaveLength(3)
  // The next start has it from the beginning.
  expect(compilePrograms(folder).name('hello', PYTHON)).toBe(name)
})

test('where a program cannot be compiled its source serves', async () => {
  const folder = programs({ 'wrong.py': 'def (' })
  const compiled = compilePrograms(folder)
  for (const python of [PYTHON, '/nonexistent/python3.99']) {
    expect(compiled.name('wrong', python)).toBe('wrong.py')
    await compiled.settled()
    expect(compiled.name('wrong', python)).toBe('wrong.py')
  }
})
