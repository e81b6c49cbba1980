import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestSandbox, draftOf, openTestSandbox } from '../test-sandbox.ts'
import { createInspector } from './inspector.ts'

/** Source -> `rule:line` of what is found in it. */
const ROWS: [string, ...string[]][] = [
  ['export const x: number = 1'],
  ['const x: = 1', 'js.syntax:1'],
  ['eval(atob("YQ=="))', 'js.exec_decoded:1'],
  ['const code = Buffer.from("YQ==", "base64").toString()\nnew Function(code)()', 'js.exec_decoded:2'],
  ['Buffer.from("text", "utf8")'],
  ['eval(String.fromCharCode(97))', 'js.exec_decoded:1'],
  ['declare const x: string\neval(x)', 'js.eval:2'],
  ['globalThis.eval(input)', 'js.eval:1'],
  ['eval("1 + 1")'],
  ['eval("process.dlopen(x)")', 'js.native_binding:1'],
  ['setTimeout("go()", 1)', 'js.eval:1'],
  ['process.binding("fs")', 'js.native_binding:1'],
  ['process["dl" + "open"]({}, "x")', 'js.native_binding:1'],
  ['const { setuid } = process\nsetuid?.(0)', 'js.privilege:2'],
  ['[].constructor.constructor("return 1")()', 'js.escape_idiom:1'],
  ['import { execSync } from "node:child_process"\n\nexecSync("ls")', 'js.child_process:1', 'js.child_process:3'],
  ['import type { ChildProcess } from "node:child_process"'],
  ['const cp = require("child_" + "process")', 'js.child_process:1'],
  ['const { exec } = await import("child_process")', 'js.child_process:1'],
  ['import vm from "node:vm"', 'js.vm:1'],
  ['import { Session } from "node:inspector"', 'js.inspector:1'],
  ['import { Worker } from "node:worker_threads"\nnew Worker("x", { execArgv: [] })', 'js.worker_flags:2'],
  ['import { Worker } from "node:worker_threads"\nnew Worker("code", { eval: true })', 'js.eval:2'],
  ['declare const name: string\nawait import(name)', 'js.dynamic_import:2'],
  ['await import("data:text/javascript,1")', 'js.exec_decoded:1'],
  ['Object.prototype.polluted = 1', 'js.prototype_write:1'],
  ['const o: any = {}\no.__proto__ = null', 'js.prototype_write:2'],
  ['Object.defineProperty(Array.prototype, "x", {})', 'js.prototype_write:1'],
  ['class A {}\nObject.assign(A.prototype, {})'],
  ['process.kill(1)', 'js.process_control:1'],
  ['import Module from "node:module"\nModule._load("x")', 'js.module_internals:2'],
  ['import v8 from "node:v8"\nv8.setFlagsFromString("--x")', 'js.v8:2'],
  ['fetch("http://169.254.169.254/")', 'code.metadata_address:1'],
  ['fetch(`http://${0xa9fea9fe}/`)', 'code.metadata_address:1'],
  ['read(`/proc/self/environ`)', 'code.proc_access:1'],
  [`const key = 'AK${'IA' + 'Q7Z'.repeat(5)}Q'`, 'secret.aws_key:1'],
]

let sandbox: TestSandbox
beforeAll(async () => {
  sandbox = await openTestSandbox()
})
afterAll(() => sandbox.close())

test('each risk is reported by its rule at its line, and what is harmless is not', async () => {
  const names = ROWS.map((_, i) => `r${String(i).padStart(2, '0')}.ts`)
  const unpacked = await sandbox.unpack(Object.fromEntries(ROWS.map(([source], i) => [names[i]!, source])))
  const inspect = createInspector({ tool: sandbox.driver.tool, files: sandbox.files })
  const { findings, handler } = await inspect(unpacked, draftOf('skill-md', null))

  const found = names.map((name) => findings.filter((one) => one.file === name).map((one) => `${one.rule}:${one.line}`))
  expect(found.map((rules, i) => [ROWS[i]![0], ...rules.sort()])).toEqual(
    ROWS.map(([source, ...rules]) => [source, ...rules.sort()]),
  )
  expect(handler).toEqual({ kind: 'skill-md', scripts: names })
})

/** Source of the entry -> rules, and whether validate is exported. */
const ENTRIES: [string, string[], boolean | null][] = [
  ['export async function execute(params, context) {}', [], false],
  ['export const execute = async () => {}\nexport function validate() {}', [], true],
  ['async function run() {}\nexport { run as execute }', [], false],
  ['export { execute } from "./other.ts"', [], false],
  ['exports.execute = execute\nasync function execute() {}\nexports.validate = () => true', [], true],
  ['module.exports = { execute() {} }', [], false],
  ['export type execute = string', ['js.execute.missing'], null],
  ['export * from "./other.ts"', ['js.execute.missing'], null],
  ['export default function execute() {}', ['js.execute.missing'], null],
  ['export const execute = "now"', ['js.execute.signature'], null],
  ['export function* execute() {}', ['js.execute.signature'], null],
  ['export function execute(a, b, c) {}', ['js.execute.signature'], null],
]

test('execute and validate are found among the exports', async () => {
  const inspect = createInspector({ tool: sandbox.driver.tool, files: sandbox.files })
  for (const [source, rules, validates] of ENTRIES) {
    const { findings, handler } = await inspect(
      await sandbox.unpack({ 'index.ts': source }),
      draftOf('typescript', 'index.ts'),
    )
    expect([source, findings.map((one) => one.rule)]).toEqual([source, rules])
    expect([source, handler]).toEqual([
      source,
      validates === null ? null : { kind: 'node', file: 'index.ts', validates },
    ])
  }
})
