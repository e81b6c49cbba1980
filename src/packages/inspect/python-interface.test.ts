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

const PYTHON_HEAD = `
import datetime
from dataclasses import dataclass, field
from enum import Enum
from typing import *
from typing import Annotated, Literal, NotRequired, Optional, Required, TypedDict, Union
`

/** Type hint -> schema, or what is put before it and the hint. */
const PYTHON_TYPES: [hint: string, schema: unknown, before?: string][] = [
  ['str', { type: 'string' }],
  ['int', { type: 'integer' }],
  ['float | None', { type: ['number', 'null'] }],
  ['Optional[bool]', { type: ['boolean', 'null'] }],
  ['Union[int, str]', { type: ['integer', 'string'] }],
  ['list', { type: 'array' }],
  ['list[str]', { type: 'array', items: { type: 'string' } }],
  ['set[int]', { type: 'array', items: { type: 'integer' }, uniqueItems: true }],
  ['tuple[int, ...]', { type: 'array', items: { type: 'integer' } }],
  [
    'tuple[int, str]',
    { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], minItems: 2, maxItems: 2 },
  ],
  ['dict', { type: 'object' }],
  ['dict[str, float]', { type: 'object', additionalProperties: { type: 'number' } }],
  ['Any', {}],
  ['list[Any]', { type: 'array' }],
  ['Literal["a", 1, None]', { enum: ['a', 1, null] }],
  ['Literal["a"] | Literal["b"] | None', { enum: ['a', 'b', null] }],
  ['Annotated[str, "What for"]', { type: 'string', description: 'What for' }],
  ['datetime.date', { type: 'string', format: 'date' }],
  ['"list[int]"', { type: 'array', items: { type: 'integer' } }],
  ['list[str] | str', { anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'string' }] }],
  ['Color', { enum: ['red', 2] }, 'class Color(Enum):\n    RED = "red"\n    TWO = 2'],
  ['Name', { type: 'string' }, 'Name = str'],
  [
    'Point',
    {
      type: 'object',
      properties: { x: { type: 'integer' }, y: { type: 'integer', default: 0 } },
      required: ['x'],
      additionalProperties: false,
    },
    '@dataclass\nclass Point:\n    x: int\n    y: int = 0',
  ],
  ['Tree', { $ref: '#/$defs/Tree' }, 'class Tree(TypedDict):\n    children: "list[Tree]"'],
  ['Elsewhere', {}, 'from lib import Elsewhere'],
]

test('Python: every kind of hint becomes its schema', async () => {
  const before = PYTHON_TYPES.map(([, , text]) => text ?? '').join('\n')
  const keys = PYTHON_TYPES.map(([hint], i) => `    k${i}: ${hint}`).join('\n')
  const source = `${PYTHON_HEAD}${before}\nclass Input(TypedDict):\n${keys}\ndef handler(input: Input): pass\n`
  const { input_schema: schema } = await inspect({ 'main.py': source }, 'python', 'main.py')
  const properties = schema?.['properties'] as Record<string, unknown>
  expect(PYTHON_TYPES.map(([hint], i) => [hint, properties[`k${i}`]])).toEqual(
    PYTHON_TYPES.map(([hint, wanted]) => [hint, wanted]),
  )
  expect(schema?.['$defs']).toEqual({
    Tree: {
      type: 'object',
      properties: { children: { type: 'array', items: { $ref: '#/$defs/Tree' } } },
      required: ['children'],
      additionalProperties: false,
    },
  })
})

test('Python: docstrings, required keys, defaults and the output', async () => {
  const source = `"""Of the module."""
${PYTHON_HEAD}
class Base(TypedDict):
    city: str

class Input(Base, total=False):
    """What to ask.

    Attributes:
        units: Celsius or
            fahrenheit.
    """

    units: Literal["c", "f"]
    must: Required[int]

class Output(TypedDict):
    temp: float
    note: NotRequired[str]

def handler(input: Input) -> Output:
    """Tell the weather
    of a city.

    At length.

    Args:
        city: Its name.
        units (str): Not this one, the class says it.
    """
`
  const found = await inspect({ 'main.py': source }, 'python', 'main.py')
  expect(found.description).toBe('Tell the weather of a city.')
  expect(found.input_schema).toEqual({
    type: 'object',
    properties: {
      city: { type: 'string', description: 'Its name.' },
      units: { enum: ['c', 'f'], description: 'Celsius or fahrenheit.' },
      must: { type: 'integer' },
    },
    required: ['city', 'must'],
    additionalProperties: false,
    description: 'What to ask.',
  })
  expect(found.output_schema).toEqual({
    type: 'object',
    properties: { temp: { type: 'number' }, note: { type: 'string' } },
    required: ['temp'],
  })
})

test('Python: a plain dict promises nothing, a dataclass is told that it gets a dict', async () => {
  const plain = await inspect(
    { 'main.py': '"""From the module."""\ndef handler(input: dict) -> dict: pass' },
    'python',
    'main.py',
  )
  expect([plain.description, plain.input_schema, plain.output_schema]).toEqual([
    'From the module.',
    { type: 'object' },
    null,
  ])

  const source = `${PYTHON_HEAD}@dataclass
class Input:
    """Input."""
    name: str
    tags: list[str] = field(default_factory=list)
    limit: Annotated[int, "At most"] = 10
def handler(input: Input) -> list[str]: pass`
  const data = await inspect({ 'main.py': source }, 'python', 'main.py')
  expect(data.findings.map((one) => one.rule)).toEqual(['python.handler.dataclass'])
  expect(data.input_schema).toEqual({
    type: 'object',
    properties: {
      name: { type: 'string' },
      tags: { type: 'array', items: { type: 'string' }, default: [] },
      limit: { type: 'integer', description: 'At most', default: 10 },
    },
    required: ['name'],
    additionalProperties: false,
    description: 'Input.',
  })
  expect(data.output_schema).toEqual({ type: 'array', items: { type: 'string' } })
})

test('Python: what is imported, and what of it when the handler is loaded', async () => {
  const files = {
    'main.py':
      'import json, helper\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ast\ndef handler(input):\n    import csv\n',
    'helper.py': 'from xml.etree import ElementTree\n',
    'unused.py': 'import wave\n',
  }
  const { imports } = await inspect(files, 'python', 'main.py')
  expect(Object.fromEntries(imports.map((one) => [one.module, one.top]))).toEqual({
    json: true,
    typing: true,
    ast: false,
    csv: false,
    'xml.etree': true,
    wave: false,
  })
})
