import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestSandbox, draftOf, openTestSandbox } from '../test-sandbox.ts'
import { createInspector } from './inspector.ts'

let sandbox: TestSandbox
beforeAll(async () => {
  sandbox = await openTestSandbox()
})
afterAll(() => sandbox.close())

const inspect = (files: Record<string, string>, format: 'python' | 'typescript', entry: string) =>
  sandbox
    .unpack(files)
    .then((unpacked) =>
      createInspector({ tool: sandbox.driver.tool, files: sandbox.files })(unpacked, draftOf(format, entry)),
    )

const TYPESCRIPT_TYPES: [type: string, schema: unknown, before?: string][] = [
  ['string', { type: 'string' }],
  ['number | null', { type: ['number', 'null'] }],
  ['boolean', { type: 'boolean' }],
  ['"a" | "b"', { enum: ['a', 'b'] }],
  ['1 | -2 | null', { enum: [1, -2, null] }],
  ['string[]', { type: 'array', items: { type: 'string' } }],
  ['readonly string[]', { type: 'array', items: { type: 'string' } }],
  ['Array<number | string>', { type: 'array', items: { type: ['number', 'string'] } }],
  ['Set<string>', { type: 'array', items: { type: 'string' }, uniqueItems: true }],
  [
    '[string, number]',
    { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], minItems: 2, maxItems: 2 },
  ],
  ['Record<string, number>', { type: 'object', additionalProperties: { type: 'number' } }],
  ['Record<string, unknown>', { type: 'object' }],
  ['{ [key: string]: boolean }', { type: 'object', properties: {}, additionalProperties: { type: 'boolean' } }],
  ['unknown', {}],
  ['Date', { type: 'string', format: 'date-time' }],
  ['{ x: number; y?: number }', point()],
  ['Readonly<Point>', point(), 'interface Point { x: number; y?: number }'],
  ['Partial<Point>', point([])],
  [
    'Pick<Point, "x">',
    { type: 'object', properties: { x: { type: 'number' } }, required: ['x'], additionalProperties: false },
  ],
  ['Omit<Point, "x">', { type: 'object', properties: { y: { type: 'number' } }, additionalProperties: false }],
  ['Color', { enum: ['red', 'blue'] }, 'enum Color { Red = "red", Blue = "blue" }'],
  ['Tree', { $ref: '#/$defs/Tree' }, 'interface Tree { children: Tree[] }'],
  ['Elsewhere', {}, 'import type { Elsewhere } from "./lib.ts"'],
]

function point(required = ['x']): unknown {
  const properties = { x: { type: 'number' }, y: { type: 'number' } }
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}), additionalProperties: false }
}

test('TypeScript: every kind of type becomes its schema', async () => {
  const before = TYPESCRIPT_TYPES.map(([, , text]) => text ?? '').join('\n')
  const keys = TYPESCRIPT_TYPES.map(([type], i) => `  k${i}: ${type}`).join('\n')
  const source = `${before}\nexport interface Input {\n${keys}\n}\nexport async function execute(params: Input) {}\n`
  const { input_schema: schema } = await inspect({ 'index.ts': source }, 'typescript', 'index.ts')
  const properties = schema?.['properties'] as Record<string, unknown>
  expect(TYPESCRIPT_TYPES.map(([type], i) => [type, properties[`k${i}`]])).toEqual(
    TYPESCRIPT_TYPES.map(([type, wanted]) => [type, wanted]),
  )
  expect(schema?.['$defs']).toMatchObject({ Tree: { properties: { children: { items: { $ref: '#/$defs/Tree' } } } } })
})

test('TypeScript: JSDoc, optional keys, extended interfaces and the output', async () => {
  const source = `
import type { SkillContext, SkillExecute } from 'skillet/types'
interface Place { /** Its name. */ city: string }
/** What to ask. */
interface Input extends Place { units?: 'c' | 'f'; when: string | undefined }
type Output = { temp: number; note?: string }
/**
 * Tells the weather
 * of a city.
 *
 * At length.
 * @param params.units - Celsius or
 *   fahrenheit.
 */
export const execute: SkillExecute<Input, Output> = async (params, context) => ({ temp: 1 })
`
  const found = await inspect({ 'index.ts': source }, 'typescript', 'index.ts')
  expect(found.description).toBe('Tells the weather of a city.')
  expect(found.input_schema).toEqual({
    type: 'object',
    properties: {
      city: { type: 'string', description: 'Its name.' },
      units: { enum: ['c', 'f'], description: 'Celsius or fahrenheit.' },
      when: { type: 'string' },
    },
    required: ['city'],
    additionalProperties: false,
    description: 'What to ask.',
  })
  expect(found.output_schema).toEqual({
    type: 'object',
    properties: { temp: { type: 'number' }, note: { type: 'string' } },
    required: ['temp'],
  })
})
