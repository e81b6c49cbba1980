import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestSandbox, draftOf, openTestSandbox } from '../test-sandbox.ts'
import { createInspector } from './inspector.ts'

/** Source -> `rule:line` of what is found in it. */
const ROWS: [string, ...string[]][] = [
  ['import json\nprint(json.dumps({}))'],
  ['def f(:\n  pass', 'python.syntax:1'],
  ['x = 1\ny = (', 'python.syntax:2'],
  ['print "two"', 'python.syntax:1'],
  ['x = 1\ny = "a\0b"', 'python.unreadable:2'],
  ['# coding: utf-7\nx = 1', 'python.unreadable:1'],
  ['import base64\nexec(base64.b64decode("cGFzcw=="))', 'python.exec_decoded:2'],
  ['import base64 as b\ncode = b.b64decode("cGFzcw==")\n\nexec(compile(code, "x", "exec"))', 'python.exec_decoded:4'],
  ['import zlib, codecs\neval(codecs.decode("cevag", "rot13"))', 'python.exec_decoded:2'],
  ['exec("".join(chr(c) for c in [112]))', 'python.exec_decoded:1'],
  ['def f(x):\n    return eval(x)', 'python.eval:2'],
  ['eval("1 + 1")'],
  ['exec("import os\\nos.setuid(0)")', 'python.privilege:1'],
  ['import builtins\nbuiltins.eval(input())', 'python.eval:2'],
  ['getattr(__import__("os"), "system")("ls")', 'python.shell:1'],
  ['import marshal\nmarshal.loads(b"")', 'python.marshal:2'],
  ['().__class__.__base__.__subclasses__()', 'python.escape_idiom:1'],
  ['class Base: pass\nBase.__subclasses__()'],
  ['def f(): pass\nf.__globals__["x"]', 'python.escape_idiom:2'],
  ['getattr(f, "__glo" + "bals__")', 'python.escape_idiom:1'],
  ['__builtins__["eval"]', 'python.escape_idiom:1'],
  ['import os\nos.setuid(0)', 'python.privilege:2'],
  ['from os import setresgid as s\ns(0, 0, 0)', 'python.privilege:2'],
  ['open("/proc/self/mem", "wb")', 'code.proc_access:1'],
  ['open(f"/proc/1/environ")', 'code.proc_access:1'],
  ['"""Reads /proc/self/mem never."""'],
  ['import urllib.request\nurllib.request.urlopen("http://169.254.169.254/latest")', 'code.metadata_address:2'],
  ['host = 2852039166', 'code.metadata_address:1'],
  ['import os\nos.system("ls")', 'python.shell:2'],
  ['import subprocess\nsubprocess.run("ls", shell=True)', 'python.shell:2'],
  ['import subprocess as sp\nsp.run(["ls"], shell=False)', 'python.subprocess:2'],
  ['import os\nos.execv("/bin/ls", [])', 'python.subprocess:2'],
  ['import os\nif os.fork():\n    pass', 'python.fork:2'],
  ['import ctypes\nctypes.CDLL(None)', 'python.native_call:2'],
  ['import pickle\npickle.loads(b"")', 'python.pickle:2'],
  [
    'import yaml\nyaml.load("")\nyaml.load("", Loader=yaml.SafeLoader)\nyaml.safe_load("")',
    'python.pickle:2',
    'python.import.undeclared:1',
  ],
  ['import importlib\nimportlib.import_module(name)\nimportlib.import_module("json")', 'python.dynamic_import:2'],
  ['import sys\nsys.modules["json"] = None', 'python.patching:2'],
  ['import builtins\nbuiltins.print = None', 'python.patching:2'],
  ['import sys\nsys._getframe(1)', 'python.heap_walk:2'],
  ['import types\ntypes.CodeType()', 'python.code_object:2'],
  ['def f(): pass\nf.__code__ = g.__code__', 'python.code_object:2'],
  ['import nowhere_to_be_found.inner', 'python.import.undeclared:1'],
  ['import r00\nfrom . import r01'],
  ['"\u202e hidden"', 'text.hidden:1'],
  ['flag = "🏴\u{e0067}\u{e0062}\u{e007f}"'],
  [`# not secrets\nkey = "AKIA${'IOSFODNN7'}EXAMPLE"\nurl = "postgres://user:password@host/db"`],
  [`\nkey = "AK${'IA' + 'Q7Z'.repeat(5)}Q"`, 'secret.aws_key:2'],
  [`token = "gh${'p_' + 'aB3dE9'.repeat(6)}"`, 'secret.github_token:1'],
  [`k = """-----BEGIN ${'RSA PRIVATE'} KEY-----\n${'MIIEabcd'.repeat(8)}\n"""`, 'secret.private_key:1'],
  [`header = "-----BEGIN ${'PRIVATE'} KEY-----"`],
  [`db = "postgres://app:${'hunter2hunter'}@db.internal/x"`, 'secret.url_password:1'],
]

let sandbox: TestSandbox
beforeAll(async () => {
  sandbox = await openTestSandbox()
})
afterAll(() => sandbox.close())

test('each risk is reported by its rule at its line, and what is harmless is not', async () => {
  const names = ROWS.map((_, i) => `r${String(i).padStart(2, '0')}.py`)
  const unpacked = await sandbox.unpack(Object.fromEntries(ROWS.map(([source], i) => [names[i]!, source])))
  const inspect = createInspector({ tool: sandbox.driver.tool, files: sandbox.files })
  const { findings } = await inspect(unpacked, draftOf('skill-md', null))

  const found = names.map((name) => findings.filter((one) => one.file === name).map((one) => `${one.rule}:${one.line}`))
  expect(found.map((rules, i) => [ROWS[i]![0], ...rules.sort()])).toEqual(
    ROWS.map(([source, ...rules]) => [source, ...rules.sort()]),
  )
  for (const one of findings) expect(one.fix).not.toBe('')
})

/** Source of main.py -> rules, and whether there is a handler that takes a context. */
const HANDLERS: [string, string[], boolean | null][] = [
  ['def handler(input): pass', [], false],
  ['def handler(input: dict, context) -> dict: return {}', [], true],
  ['def handler(input, context=None): pass', [], true],
  ['def handler(input, verbose=False): pass', [], false],
  ['def handler(input, *, flag=1): pass', [], false],
  ['if True:\n    def handler(input): pass', [], false],
  ['def main(input): pass', ['python.handler.missing'], null],
  ['class A:\n    def handler(self): pass', ['python.handler.missing'], null],
  ['def handler(): pass', ['python.handler.signature'], null],
  ['def handler(a, b, c): pass', ['python.handler.signature'], null],
  ['def handler(a, *, b): pass', ['python.handler.signature'], null],
  ['async def handler(input): pass', ['python.handler.signature'], null],
  ['def handler(input):\n    yield 1', ['python.handler.signature'], null],
  ['def handler(input: str): pass', ['python.handler.signature'], null],
  ['from json import loads as handler', ['python.handler.indirect'], false],
]

test('the handler is found, and how it can be called is checked', async () => {
  const inspect = createInspector({ tool: sandbox.driver.tool, files: sandbox.files })
  for (const [source, rules, takesContext] of HANDLERS) {
    const { findings, handler } = await inspect(
      await sandbox.unpack({ 'main.py': source }),
      draftOf('python', 'main.py'),
    )
    expect([source, findings.map((one) => one.rule)]).toEqual([source, rules])
    expect([source, handler]).toEqual([
      source,
      takesContext === null
        ? null
        : { kind: 'python', file: 'main.py', function: 'handler', takes_context: takesContext },
    ])
  }
})
