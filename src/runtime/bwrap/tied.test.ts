import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { tied } from './tied.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A process with one child, which says when that is there. */
async function family(inner: string): Promise<ChildProcess> {
  const child = spawn('/usr/bin/python3', ['-I', '-S', '-c', `${FORK}${inner}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout, 'data')
  return child
}
const FORK = `
import ctypes, os, sys
libc = ctypes.CDLL(None)
if os.fork() != 0:
    os.wait()
    os._exit(0)
os.write(1, b"there")
`
/** Puts itself under a filter that lets everything pass. */
const FILTER = `
class Program(ctypes.Structure): _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
allow = ctypes.create_string_buffer(b"\\x06\\0\\0\\0\\0\\0\\xff\\x7f")
os.read(0, 1)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(Program(1, ctypes.addressof(allow))), 0, 0) == 0
os.read(0, 1)
`

test('a sandbox whose first process has not yet asked to die with its parent is waited for', async () => {
  const child = await family(FILTER)
  let over = false
  const waited = tied(child.pid!).then(() => (over = true))
  // Time for many looks.
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(over).toBe(false)
  child.stdin!.write('x')
  await waited
  expect(child.exitCode).toBeNull()
})

test('one that ends before that is not', async () => {
  const child = await family('os.read(0, 1)\n')
  const waited = tied(child.pid!)
  child.stdin!.write('x')
  await waited
  await expect(tied(child.pid!)).resolves.toBeUndefined()
})
