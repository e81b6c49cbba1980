import assert from 'node:assert/strict'
import type { AbuseCase, AbuseWorld, Attack, AttackRun } from '../case.ts'

const refusedWith =
  (words: RegExp) =>
  ({ result, session }: AttackRun, world: AbuseWorld): void => {
    assert.match(result.status === 'failed' ? result.error.message : 'it succeeded', words)
    assert.ok(session.usable || world.mayRetire(session), 'a result that is no JSON is no reason to end the session')
  }

/** As the skill gave it, byte by byte, and JSON for everybody who reads it. */
const exactly =
  (text: string) =>
  ({ result }: AttackRun): void => {
    assert.equal(result.status === 'succeeded' ? result.output : result.status, text)
  }

const python = (body: string): string => `
import sys
def handler(input):
    ${body}
`
const node = (body: string): string => `export function execute() { ${body} }`

/** Objects that would be other than they seem, were they ever built by careless code. */
const POISON =
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":null}'
const PYTHON_POISON = POISON.replace('null', 'None')

/** Nothing on the host has a property that nobody gave it. */
function unpolluted(): void {
  for (const value of [{}, [], Object.prototype, Function.prototype]) {
    assert.equal((value as { polluted?: unknown }).polluted, undefined, 'the host is polluted')
  }
  assert.equal(typeof {}.toString, 'function')
}

const poisonedLine = ({ output, logs }: AttackRun): void => {
  unpolluted()
  assert.equal(output, 1)
  assert.deepEqual(
    logs.map(({ text, stream }) => ({ text, stream })),
    [{ text: POISON, stream: 'stdout' }],
  )
}

/** The error has the keys of an error, all its own, and texts in them. */
function poisonedError({ result }: AttackRun): void {
  unpolluted()
  assert.ok(result.status === 'failed')
  const { type, message, ...rest } = result.error
  assert.deepEqual(
    Object.keys(rest).filter((key) => key !== 'stack'),
    [],
  )
  assert.ok(type.length > 0 && message.length > 0)
  assert.ok(Object.values(result.error).every((text) => typeof text === 'string'))
  assert.equal(Object.getPrototypeOf(result.error), Object.prototype)
}

/** What is in a result, an error, a log. */
export const RESULTS: readonly AbuseCase[] = [
  {
    number: 43,
    title: 'results of a gigabyte, of great depth, with NaN, lone surrogates, double keys',
    python: [
      {
        code: python('return "x" * 2**30'),
        outcome: /^failed\/(memory_limit|runtime_error|output_too_large|output_invalid)$/,
      },
      {
        code: python('return "x" * (7 * 2**20)'),
        outcome: 'failed/output_too_large',
        held: refusedWith(/at most 6291456/),
      },
      {
        code: python('value = []\n    for _ in range(100_000): value = [value]\n    return value'),
        outcome: 'failed/output_invalid',
      },
      {
        code: python('value = 1\n    for _ in range(600): value = {"a": value}\n    return value'),
        outcome: 'failed/output_invalid',
        held: refusedWith(/deeper than 500/),
      },
      { code: python('loop = []; loop.append(loop); return loop'), outcome: 'failed/output_invalid' },
      ...['float("nan")', '[1, float("inf")]', '{"a": -float("inf")}', '{1, 2}', 'b"bytes"', '{(1, 2): 3}'].map(
        (value): Attack => ({
          code: python(`return ${value}`),
          outcome: 'failed/output_invalid',
          held: refusedWith(/not/),
        }),
      ),
      {
        // A subclass may say of itself what it likes.
        code: `
class Odd(float):
    def __repr__(self): return 'NaN, "more": 1'
    __str__ = __repr__
class Name(str):
    def __str__(self): return '"'
def handler(input): return {"odd": Odd(1.5), "name": Name("a")}
`,
        outcome: 'succeeded',
        held: exactly('{"odd":1.5,"name":"a"}'),
      },
      {
        code: python('return ["\\ud800", "\\udfff\\ud800", {"\\udc00": 1}]'),
        outcome: 'succeeded',
        held: exactly('["\\ud800","\\udfff\\ud800",{"\\udc00":1}]'),
      },
      { code: python('return {1: "a", "1": "b"}'), outcome: 'succeeded', held: exactly('{"1":"a","1":"b"}') },
      { code: python('return 10**400'), outcome: /./, held: oneNumber },
    ],
    node: [
      {
        code: node('return "x".repeat(2 ** 29 - 100)'),
        outcome: /^failed\/(memory_limit|output_too_large|output_invalid)$/,
      },
      {
        code: node('return "x".repeat(7 * 2 ** 20)'),
        outcome: 'failed/output_too_large',
        held: refusedWith(/at most 6291456/),
      },
      { code: node('let v = []; for (let i = 0; i < 1e5; i++) v = [v]; return v'), outcome: 'failed/output_invalid' },
      {
        code: node('let v = 1; for (let i = 0; i < 600; i++) v = { a: v }; return v'),
        outcome: 'failed/output_invalid',
        held: refusedWith(/deeper than 500/),
      },
      { code: node('const v = []; v.push(v); return v'), outcome: 'failed/output_invalid' },
      { code: node('return 1n'), outcome: 'failed/output_invalid' },
      { code: node('return Symbol("s")'), outcome: 'failed/output_invalid', held: refusedWith(/symbol/) },
      { code: node('return () => 1'), outcome: 'failed/output_invalid', held: refusedWith(/function/) },
      { code: node('return [NaN, Infinity, undefined]'), outcome: 'succeeded', held: exactly('[null,null,null]') },
      {
        code: node('return ["\\ud800", "\\udfff\\ud800", { "\\udc00": 1 }]'),
        outcome: 'succeeded',
        held: exactly('["\\ud800","\\udfff\\ud800",{"\\udc00":1}]'),
      },
      { code: node('return { toJSON() { throw new Error("not so") } }'), outcome: 'failed/output_invalid' },
      { code: node('return { toJSON: () => JSON.rawJSON("1e400") }'), outcome: 'succeeded', held: exactly('1e400') },
    ],
  },
  {
    number: 44,
    title: '__proto__ and constructor in results, errors and logs',
    python: [
      {
        code: python(`return ${PYTHON_POISON}`),
        outcome: 'succeeded',
        held: (ran) => (unpolluted(), exactly(POISON)(ran)),
      },
      { code: python(`print('${POISON}'); return 1`), outcome: 'succeeded', held: poisonedLine },
      {
        code: python(`raise type("__proto__", (Exception,), {"constructor": 1})('${POISON}')`),
        outcome: 'failed/runtime_error',
        held: poisonedError,
      },
    ],
    node: [
      {
        code: node(`return JSON.parse('${POISON}')`),
        outcome: 'succeeded',
        held: (ran) => (unpolluted(), exactly(POISON)(ran)),
      },
      { code: node(`console.log('${POISON}'); return 1`), outcome: 'succeeded', held: poisonedLine },
      {
        code: node(
          `throw Object.assign(new Error('${POISON}'), { name: '__proto__', constructor: 1, ...JSON.parse('${POISON}') })`,
        ),
        outcome: 'failed/runtime_error',
        held: poisonedError,
      },
      {
        // The host inside shares the heap: it may be polluted, the server may not.
        code: node(
          'Object.prototype.polluted = 1; Object.prototype.stack = "x"; Array.prototype.polluted = 1; return {}',
        ),
        outcome: 'succeeded',
        held: (ran) => (unpolluted(), exactly('{}')(ran)),
      },
    ],
  },
]

/** A number that means nothing to anybody: refused, or passed on as it is. */
function oneNumber({ result }: AttackRun): void {
  if (result.status === 'succeeded') assert.equal(result.output, `1${'0'.repeat(400)}`)
  else assert.ok(result.status === 'failed' && result.reason === 'output_invalid')
}
