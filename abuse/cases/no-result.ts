import assert from 'node:assert/strict'
import type { AbuseCase, Attack, AttackRun } from '../case.ts'

const because =
  (words: RegExp) =>
  ({ result }: AttackRun): void =>
    assert.match(result.status === 'failed' ? result.error.message : 'it succeeded', words)

const ended = (language: 'python' | 'node', code: string, words: RegExp): Attack => ({
  code:
    language === 'python'
      ? `import os, sys\ndef handler(input):\n    ${code}\n`
      : `export async function execute() { ${code} }`,
  outcome: 'failed/runtime_error',
  held: because(words),
})

/** Runs that end without saying anything. */
export const NO_RESULT: readonly AbuseCase[] = [
  {
    number: 48,
    title: 'exit without a result, _exit, abort, SIGKILL to itself or its host',
    python: [
      ended('python', 'sys.exit(0)', /sys\.exit\(0\)/),
      ended('python', 'raise SystemExit', /sys\.exit/),
      ended('python', 'os._exit(0)', /exit code 0 before it gave a result/),
      ended('python', 'os._exit(137)', /exit code 137 before/),
      ended('python', 'os.kill(os.getpid(), 9)', /SIGKILL before/),
      ended('python', 'os.abort()', /SIGABRT before/),
      ended('python', 'import ctypes; ctypes.string_at(0)', /SIGSEGV before/),
      ended('python', 'os.execv("/bin/true", ["true"])', /(exit code 0|SIGKILL) before/),
      ended(
        'python',
        'import threading; threading.Thread(target=os._exit, args=(3,)).start(); import time; time.sleep(50)',
        /exit code 3 before/,
      ),
      ended('python', 'os.kill(os.getppid(), 9); import time; time.sleep(50)', /SIGKILL before/),
      ended('python', 'raise KeyboardInterrupt', /^$/),
      ended('python', 'raise GeneratorExit("out")', /out/),
    ],
    node: [
      ended('node', 'process.exit(0)', /exit code 0 before it gave a result/),
      ended('node', 'process.exit(137)', /SIGKILL before|exit code 137 before/),
      ended('node', 'process.reallyExit(0)', /exit code 0 before/),
      ended('node', 'process.kill(process.pid, "SIGKILL"); await new Promise(() => {})', /SIGKILL before/),
      ended('node', 'process.abort()', /SIGABRT before/),
      ended('node', 'setTimeout(() => { throw new Error("out of turn") }); await new Promise(() => {})', /out of turn/),
      ended('node', 'Promise.reject(new Error("nobody waits")); await new Promise(() => {})', /nobody waits/),
      ended(
        'node',
        'process.emit("SIGTERM"); process.kill(process.pid, "SIGTERM"); await new Promise(() => {})',
        /SIGTERM before/,
      ),
      {
        code: 'export function execute() { return new Promise(() => {}) }',
        outcome: 'failed/timeout',
        timeout_ms: 1000,
      },
    ],
  },
]
