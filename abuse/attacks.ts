import assert from 'node:assert/strict'
import type { Attack, AttackRun, AbuseWorld } from './case.ts'

type Held = (output: unknown, world: AbuseWorld, ran: AttackRun) => void | Promise<void>

/**
 * The same attack from both languages: a Python handler, and a Node skill that starts Python, which can ask the kernel for anything.
 * Its handler returns what came of it.
 */
export function evidence(
  code: string,
  held: Held,
  input: unknown = {},
): { readonly python: Attack; readonly node: Attack } {
  const attack = {
    input,
    outcome: 'succeeded',
    held: (ran: AttackRun, world: AbuseWorld) => held(ran.output, world, ran),
  }
  return { python: { ...attack, code }, node: { ...attack, code: startingPython(code) } }
}

/** A Node skill that does what the Python handler does, in a child process. */
export function startingPython(code: string): string {
  const program = `${code}\nimport json, sys\nprint("\\n" + json.dumps(handler(json.loads(sys.argv[1]))))\n`
  return `
import { execFileSync } from 'node:child_process'
const program = ${JSON.stringify(program)}
export function execute(input) {
  const argv = ['-I', '-c', program, JSON.stringify(input)]
  const said = execFileSync('/usr/bin/python3', argv, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  return JSON.parse(said.trimEnd().split('\\n').at(-1))
}`
}

/** Python: `call(name, …)` asks the kernel directly and answers with the name of the error, or "ok". Needs `import ctypes`. */
export const SYSCALLS = `
import ctypes, errno, os, platform
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
ARM = platform.machine() == "aarch64"
def call(number, *arguments):
    """By number, the same everywhere or (x86-64, arm64); None where there is no such call."""
    if isinstance(number, tuple): number = number[ARM]
    if number is None: return None
    ctypes.set_errno(0)
    given = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_void_p(a) if a is None else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *given)
    return errno.errorcode.get(ctypes.get_errno(), "?") if result == -1 else "ok"
def attempt(action):
    """The name of the error, or "ok"."""
    try: action()
    except OSError as error: return errno.errorcode.get(error.errno, str(error))
    return "ok"
`

/**
 * Every attempt ended with one of the errors.
 * @param world Of an attack that asks for what gVisor's kernel does not have at all, and says so in its own words.
 */
export function refused(output: unknown, expected: readonly string[], world?: AbuseWorld): void {
  const errors = world?.driver.name === 'runsc' ? [...expected, ...UNKNOWN_TO_GVISOR] : expected
  assert.ok(typeof output === 'object' && output !== null && Object.keys(output).length > 0, 'nothing was tried')
  const got = Object.entries(output).filter(([, how]) => how !== null && !errors.includes(String(how)))
  assert.deepEqual(Object.fromEntries(got), {}, `not refused with ${errors.join(' or ')}`)
}

const UNKNOWN_TO_GVISOR = ['EPERM', 'ENOSYS', 'EINVAL', 'ENAMETOOLONG']
