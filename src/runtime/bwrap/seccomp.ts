import { SandboxError } from '../driver.ts'
import { SYSCALL_TABLES } from './seccomp-tables.ts'

/**
 * The filter that every process in a sandbox runs under, as the classic BPF program that bubblewrap loads: no namespaces of its
 * own, no tracing, no mounts, no kernel interfaces beyond files, memory, processes and plain sockets.
 * @param limits `soft`: no files without a name either, whose pages belong to no process that could be watched.
 * @throws SandboxError on an architecture without a table.
 */
export function seccompProgram(limits: 'hard' | 'soft', arch: string = process.arch): Buffer {
  const table = SYSCALL_TABLES[arch]
  if (table === undefined) {
    throw new SandboxError(`There is no system call filter for the architecture "${arch}".`, 'Use x86-64 or arm64.')
  }
  const ops: Op[] = [
    load(ARCH),
    ...when(JEQ, table.auditArch, [], [ret(KILL)]),
    load(NUMBER),
    ...(table.x32Bit === null ? [] : when(JGE, table.x32Bit, [ret(KILL)])),
    ...when(JGT, table.newest, [ret(errno(ENOSYS))]),
    ...table.denied.flatMap((number) => when(JEQ, number, [ret(errno(EPERM))])),
    ...[...table.absent, ...(limits === 'soft' ? [table.memfdCreate] : [])].flatMap((number) =>
      when(JEQ, number, [ret(errno(ENOSYS))]),
    ),
    ...when(JEQ, table.clone, [load(ARG0), ...when(JSET, NAMESPACE_FLAGS, [ret(errno(EPERM))]), ret(ALLOW)]),
    // The kernel takes the low half of an ioctl's number: so does the filter.
    ...when(JEQ, table.ioctl, [load(ARG1), ...TTY_INPUT.flatMap((r) => when(JEQ, r, [ret(errno(EPERM))])), ret(ALLOW)]),
    ...when(JEQ, table.personality, [
      load(ARG0),
      ...[0, 0xffffffff].flatMap((p) => when(JEQ, p, [ret(ALLOW)])),
      ret(errno(EPERM)),
    ]),
    ...when(JEQ, table.socket, sockets(INTERNET_AND_UNIX)),
    ...when(JEQ, table.socketpair, sockets([AF_UNIX])),
    ret(ALLOW),
  ]
  const program = Buffer.alloc(ops.length * 8)
  for (const [i, { code, jt, jf, k }] of ops.entries()) {
    // `struct sock_filter` in host order; both architectures are little-endian.
    program.writeUInt16LE(code, i * 8)
    program.writeUInt8(jt, i * 8 + 2)
    program.writeUInt8(jf, i * 8 + 3)
    program.writeUInt32LE(k, i * 8 + 4)
  }
  return program
}

interface Op {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

// Offsets into `struct seccomp_data`; of an argument only the low half is read, which is all these calls look at.
const NUMBER = 0
const ARCH = 4
const ARG0 = 16
const ARG1 = 24

const JEQ = 0x15
const JGT = 0x25
const JGE = 0x35
const JSET = 0x45

const KILL = 0x80000000
const ALLOW = 0x7fff0000
const EPERM = 1
const ENOSYS = 38
const EAFNOSUPPORT = 97
const errno = (number: number): number => 0x00050000 | number

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACE_FLAGS = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
/** TIOCSTI and TIOCLINUX: typing into somebody's terminal. */
const TTY_INPUT = [0x5412, 0x541c]
const AF_UNIX = 1
const INTERNET_AND_UNIX = [AF_UNIX, 2, 10]

const load = (offset: number): Op => ({ code: 0x20, jt: 0, jf: 0, k: offset })
const ret = (value: number): Op => ({ code: 0x06, jt: 0, jf: 0, k: value })

/** If the test holds do `then`, else `otherwise`; a branch that does not return falls through to what follows. */
function when(code: number, k: number, then: readonly Op[], otherwise: readonly Op[] = []): Op[] {
  if (otherwise.length === 0) return [{ code, jt: 0, jf: then.length, k }, ...then]
  return [{ code, jt: otherwise.length, jf: 0, k }, ...otherwise, ...then]
}

function sockets(families: readonly number[]): Op[] {
  return [load(ARG0), ...families.flatMap((family) => when(JEQ, family, [ret(ALLOW)])), ret(errno(EAFNOSUPPORT))]
}
