import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Driver, ToolResult, ToolSpec } from '../../runtime/driver.ts'
import { type TestSandbox, draftOf, openTestSandbox } from '../test-sandbox.ts'
import { createInspector } from './inspector.ts'

let sandbox: TestSandbox
beforeAll(async () => {
  sandbox = await openTestSandbox()
})
afterAll(() => sandbox.close())

const HOSTILE: Record<string, string | Uint8Array> = {
  'nested parentheses': `x = ${'('.repeat(50_000)}${')'.repeat(50_000)}`,
  'nested attributes': `x = a${'.b'.repeat(100_000)}`,
  'nested operators': `x = ${'-'.repeat(200_000)}1`,
  'a long sum': `x = ${Array(60_000).fill('1').join('+')}`,
  'not UTF-8': Buffer.from([0x78, 0x3d, 0x22, 0xff, 0xfe, 0x22]),
  'over 1 MB': `x = 1\n${'# comment\n'.repeat(120_000)}`,
  'over 4 MB': `x = 1\n${'# comment\n'.repeat(500_000)}`,
}

test.each(Object.keys(HOSTILE))(
  'Python source with %s becomes findings, and the other files are still read',
  async (name) => {
    const inspect = createInspector({ tool: sandbox.driver.tool, files: sandbox.files })
    const unpacked = await sandbox.unpack({ 'a.py': 'import os\nos.system("x")', 'main.py': HOSTILE[name]! })
    const { findings, handler } = await inspect(unpacked, draftOf('python', 'main.py'))
    expect(findings.filter((one) => one.file === 'a.py').map((one) => one.rule)).toEqual(['python.shell'])
    const own = findings.filter((one) => one.file === 'main.py')
    expect(own.length).toBeGreaterThan(0)
    expect(own.every((one) => one.severity === 'deny')).toBe(true)
    expect(handler).toBeNull()
  },
)

test.each([
  ['nested parentheses', `x = ${'('.repeat(50_000)}${')'.repeat(50_000)}`],
  ['nested arrays', `x = ${'['.repeat(100_000)}`],
  ['nested blocks', '{'.repeat(100_000)],
  ['nested types', `type A = ${'Array<'.repeat(50_000)}`],
  ['members', `x = a${'.b'.repeat(100_000)}`],
  ['over 1 MB', '// comment\n'.repeat(120_000)],
])('TypeScript source with %s becomes findings', async (_name, source) => {
  const inspect = createInspector({ tool: sandbox.driver.tool, files: sandbox.files })
  const unpacked = await sandbox.unpack({ 'index.ts': source })
  const { findings, handler } = await inspect(unpacked, draftOf('typescript', 'index.ts'))
  expect(findings.length).toBeGreaterThan(0)
  expect(findings.every((one) => one.file === 'index.ts' && one.severity === 'deny')).toBe(true)
  expect(handler).toBeNull()
})

test('a scan that takes too long is stopped and names the file', async () => {
  const inspect = createInspector({ tool: sandbox.driver.tool, files: sandbox.files, timeoutMs: 1 })
  const { findings } = await inspect(await sandbox.unpack({ 'main.py': '' }), draftOf('python', 'main.py'))
  expect(findings.map((one) => [one.rule, one.severity])).toEqual([['scan.stopped', 'deny']])
})

/** The real one; what it says of the first of them is changed. */
const inspecting = (first: (result: ToolResult, spec: ToolSpec) => ToolResult) => {
  const asked: number[] = []
  const tool: Driver['tool'] = async (spec, signal) => {
    asked.push(spec.timeout_ms)
    const result = await sandbox.driver.tool({ ...spec, timeout_ms: 120_000 }, signal)
    return asked.length === 1 ? first(result, spec) : result
  }
  return { inspect: createInspector({ tool, files: sandbox.files, timeoutMs: 60_000 }), asked }
}

describe('a scan that was stopped', () => {
  const main = { 'main.py': 'def handler(input: dict) -> dict:\n    return {}\n' }

  test('because others had the processors is begun again, with more time', async () => {
    const { inspect, asked } = inspecting((result) => ({ ...result, ended: 'timeout', stdout: '' }))
    const { findings, handler } = await inspect(await sandbox.unpack(main), draftOf('python', 'main.py'))
    expect({ findings, asked }).toEqual({ findings: [], asked: [60_000, 180_000] })
    expect(handler).toMatchObject({ kind: 'python' })
  })

  test('because of the package is not', async () => {
    const { inspect, asked } = inspecting((result, { timeout_ms: cpu_ms }) => ({
      ...result,
      ended: 'timeout',
      stdout: '{"file":"main.py"}\n',
      usage: { ...result.usage, cpu_ms },
    }))
    const { findings } = await inspect(await sandbox.unpack(main), draftOf('python', 'main.py'))
    expect(asked).toHaveLength(1)
    expect(findings).toMatchObject([
      { rule: 'scan.stopped', file: 'main.py', message: 'The scan took too long while reading this file' },
    ])
  })
})

test('no code of the package is executed by reading it', async () => {
  const inspect = createInspector({ tool: sandbox.driver.tool, files: sandbox.files })
  const shout = 'import sys\nsys.stdout.write("{\\"result\\": {}}\\n")\nraise SystemExit(3)\n'
  const unpacked = await sandbox.unpack({
    'main.py': `${shout}def handler(input): pass\n`,
    'ast.py': shout,
    'json.py': shout,
    'sitecustomize.py': shout,
    'conftest.js': 'process.exit(3)',
  })
  const { findings, handler } = await inspect(unpacked, draftOf('python', 'main.py'))
  expect(findings).toEqual([])
  expect(handler).toMatchObject({ kind: 'python' })
})

test('compiled code is named', async () => {
  const inspect = createInspector({ tool: sandbox.driver.tool, files: sandbox.files })
  const unpacked = await sandbox.unpack({
    'main.py': 'def handler(input): pass',
    '__pycache__/main.cpython-311.pyc': 'x',
    'lib.so': '\u007fELF',
  })
  const { findings } = await inspect(unpacked, draftOf('python', 'main.py'))
  expect(findings.map((one) => [one.file, one.rule])).toEqual([
    ['__pycache__/main.cpython-311.pyc', 'code.bytecode'],
    ['lib.so', 'code.native'],
  ])
})
