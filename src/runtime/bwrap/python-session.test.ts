import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestSessions, invoke, openTestSessions, outcome } from '../test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions()
})
afterAll(() => sandboxes.close())

test('a handler gets its input and its result comes back, with its log before it', async () => {
  const session = await sandboxes.python(
    'def handler(input):\n  print("hello", input["name"])\n  return {"ok": [1, 2.5, None, "é"]}',
  )
  const { output, logs } = await invoke(session, { name: 'wörld' })
  expect(output).toEqual({ ok: [1, 2.5, null, 'é'] })
  expect(logs.map(({ stream, text }) => [stream, text])).toEqual([['stdout', 'hello wörld']])
})

test('nothing that a run did to the interpreter, to files or to processes is there in the next', async () => {
  const session = await sandboxes.python(`
import os, builtins
def handler(input):
    found = {"module": getattr(builtins, "left", None), "files": os.listdir("/tmp") + os.listdir("/dev/shm"), "env": dict(os.environ)}
    found["processes"] = sorted(p for p in os.listdir("/proc") if p.isdigit())
    builtins.left = "here"
    os.makedirs("/tmp/a/b"); open("/tmp/a/b/c", "w").write("x"); os.chmod("/tmp/a/b", 0)
    open("/dev/shm/x", "w").write("x")
    if os.fork() == 0:
        os.setsid()
        while True: pass
    return found
`)
  const first = await invoke(session, {}, { env: { A: '1' }, secrets: { B: '2' } })
  const second = await invoke(session, {}, { env: { C: '3' } })
  expect(first.output).toMatchObject({ module: null, files: [], env: { A: '1', B: '2' } })
  expect(second.output).toMatchObject({ module: null, files: [], env: { C: '3' } })
  const [before, after] = [first, second].map(({ output }) => (output as { processes: string[] }).processes.length)
  expect(after).toBe(before)
})

test('the result of a run is in no memory that the next one has', async () => {
  const session = await sandboxes.python(`
def handler(input):
    if "keep" in input: return [input["keep"] * 1000]
    words = input["half"] + input["other"]
    found = 0
    with open("/proc/self/mem", "rb", 0) as memory, open("/proc/self/maps") as maps:
        for line in maps.read().splitlines():
            if " rw" not in line or "stack" in line: continue
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            try: memory.seek(start); found += memory.read(end - start).count((words * 3).encode())
            except (OSError, ValueError): pass
    return found
`)
  const word = 'a-secret-result-'
  expect(outcome(await invoke(session, { keep: word }))).toBe('succeeded')
  expect((await invoke(session, { half: word.slice(0, 8), other: word.slice(8) })).output).toBe(1)
})

test('a module of Python that a run has imported is there for the next, one of the skill with the same name comes first', async () => {
  const bundle = await sandboxes.bundle({
    'main.py':
      'import string, linecache, colorsys\ndef handler(input):\n  return [string.MINE, linecache.MINE, colorsys.__file__.startswith("/usr/")]',
    'string.py': 'MINE = 1',
    // One that Python's own modules import too, which are imported ahead.
    'linecache.py': 'MINE = 2',
  })
  const session = await sandboxes.python('', { bundle })
  for (let i = 0; i < 3; i++) expect((await invoke(session, {})).output).toEqual([1, 2, true])
})

test('an exception tells its type, its message and the lines of the skill', async () => {
  const session = await sandboxes.python(
    'def inner():\n  raise KeyError("gone")\ndef handler(input):\n  return inner()',
  )
  const { result } = await invoke(session, {})
  expect(result).toMatchObject({
    status: 'failed',
    reason: 'runtime_error',
    error: { type: 'KeyError', message: "'gone'" },
  })
  const { stack } = (result as { error: { stack: string } }).error
  expect(stack).toContain('File "main.py", line 2, in inner')
  expect(stack).not.toContain('python_host')
})

test.each([
  ['sys.exit', 'import sys; sys.exit(2)', 'runtime_error', 'sys.exit(2)'],
  ['os._exit', 'import os; os._exit(7)', 'runtime_error', 'exit code 7'],
  ['killing itself', 'import os; os.kill(os.getpid(), 9)', 'runtime_error', 'SIGKILL'],
  ['a result that is not JSON', 'return object()', 'output_invalid', 'object'],
  ['a number that is not JSON', 'return float("nan")', 'output_invalid', 'not JSON'],
  ['a result that holds itself', 'a = []; a.append(a); return a', 'output_invalid', 'ircular'],
  ['a result that is too large', 'return "x" * (7 << 20)', 'output_too_large', 'at most'],
])('%s fails the run and says so', async (_, code, reason, message) => {
  const session = await sandboxes.python(`def handler(input):\n  ${code}`)
  const { result } = await invoke(session, {})
  expect(result).toMatchObject({ status: 'failed', reason, error: { message: expect.stringContaining(message) } })
  expect(await session.idle()).toBe(true)
})

test('a handler may be async and may take the context', async () => {
  const session = await sandboxes.python(
    'import asyncio\nasync def handler(input, context):\n  await asyncio.sleep(0)\n  return [context.env, context["secrets"], context.run.id]',
    { takes_context: true },
  )
  const { output } = await invoke(session, {}, { env: { A: 'a' }, secrets: { S: 's' } })
  expect(output).toEqual([{ A: 'a', S: 's' }, { S: 's' }, 'run_1'])
})

test('packages of the bundle are imported, and reserved names do not reach the environment', async () => {
  const bundle = await sandboxes.bundle({
    'main.py': 'import dep, os\ndef handler(input):\n  return [dep.VALUE, dict(os.environ)]',
    '.skillet/site-packages/dep.py': 'VALUE = 42',
    '.skillet/preimport.json': '["dep", "no_such_module"]',
  })
  const session = await sandboxes.python('', { bundle })
  for (let i = 0; i < 2; i++) {
    const { output } = await invoke(
      session,
      {},
      { env: { LD_PRELOAD: '/x', Pythonpath: '/x', AWS_KEY: 'x', MINE: 'y' } },
    )
    expect(output).toEqual([42, { MINE: 'y' }])
    expect(await session.idle()).toBe(true)
  }
})

test('a preimport that leaves threads running costs the preimport, not the session', async () => {
  const bundle = await sandboxes.bundle({
    'main.py': 'import dep\ndef handler(input):\n  return dep.VALUE',
    '.skillet/site-packages/dep.py':
      'import threading, time\nVALUE = 1\nthreading.Thread(target=lambda: time.sleep(9), daemon=True).start()',
    '.skillet/preimport.json': '["dep"]',
  })
  for (const ahead of [false, true]) {
    const session = await sandboxes.python('', { bundle, ahead })
    for (let i = 0; i < 3; i++) expect((await invoke(session, {})).output).toBe(1)
  }
})

test('the time limit ends a loop that ignores signals, with its children', async () => {
  const session = await sandboxes.python(`
import os, signal
def handler(input):
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    if os.fork() == 0: os.setsid()
    while True: pass
`)
  expect(outcome(await invoke(session, {}, { timeout_ms: 300 }))).toBe('failed/timeout')
  expect(session.usable).toBe(false)
  await session.kill()
})

test('more memory than allowed is a memory_limit and the end of the session', async () => {
  const session = await sandboxes.python('def handler(input):\n  return len(bytearray(900 << 20))')
  expect(outcome(await invoke(session, {}))).toBe('failed/memory_limit')
  expect(await session.idle()).toBe(false)
})

test('a fork bomb stays inside its limit and the next run is not troubled', async () => {
  const session = await sandboxes.python(`
import os
def handler(input):
    if input: return "fine"
    made = 0
    try:
        while True:
            if os.fork() == 0:
                os.execv("/bin/sleep", ["sleep", "60"])
            made += 1
    except OSError:
        return made
`)
  const { output } = await invoke(session, null)
  expect(output).toBeLessThan(130)
  expect((await invoke(session, true)).output).toBe('fine')
})

test('an abort answers "cancelled" and ends the session', async () => {
  const session = await sandboxes.python('import time\ndef handler(input):\n  print("on")\n  time.sleep(60)')
  const controller = new AbortController()
  setTimeout(() => controller.abort('cancelled'), 200)
  expect(outcome(await invoke(session, {}, { signal: controller.signal }))).toBe('cancelled')
  expect(session.usable).toBe(false)
})

test('what a bundle has in place of Python’s own modules is never imported by the process that serves all its runs', async () => {
  const code = 'def handler(input):\n  import sys\n  return sys.modules["posix"].listdir("/tmp")'
  const planted = 'open("/tmp/planted", "w").close()'
  const own = ['mmap', 'gc', 'json', 'os', 'io', 'traceback', '_json', '_ctypes'].map((name) => [`${name}.py`, planted])
  for (const ahead of [false, true]) {
    const bundle = await sandboxes.bundle({ 'main.py': code, ...Object.fromEntries(own) })
    const session = await sandboxes.python(code, { bundle, ahead })
    expect((await invoke(session, {})).output).toEqual([])
    expect((await invoke(session, {})).output).toEqual([])
  }
})
