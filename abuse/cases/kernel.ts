import assert from 'node:assert/strict'
import { SYSCALLS, evidence, refused } from '../attacks.ts'
import type { AbuseCase } from '../case.ts'

const TRACING = `${SYSCALLS}
class Vec(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
def handler(input):
    text = ctypes.create_string_buffer(16)
    mine = Vec(ctypes.cast(text, ctypes.c_void_p), 16)
    parent, tries = os.getppid(), {}
    for pid in (parent, 1, os.getpid()):
        tries[f"attach {pid}"] = call((101, 117), 16, pid, 0, 0)
        tries[f"seize {pid}"] = call((101, 117), 0x4206, pid, 0, 0)
        tries[f"read {pid}"] = call((310, 270), pid, ctypes.byref(mine), 1, ctypes.byref(mine), 1, 0)
        tries[f"write {pid}"] = call((311, 271), pid, ctypes.byref(mine), 1, ctypes.byref(mine), 1, 0)
        tries[f"kcmp {pid}"] = call((312, 272), pid, os.getpid(), 0, 0, 0)
    tries["traceme"] = call((101, 117), 0, 0, 0, 0)
    try: fd = os.pidfd_open(parent)
    except OSError: fd = -1
    tries["pidfd_getfd"] = call(438, fd, 0, 0)
    tries["process_madvise"] = call(440, fd, ctypes.byref(mine), 1, 4, 0)
    return tries
`

const MOUNTING = `${SYSCALLS}
def handler(input):
    tmp, root = b"/tmp", b"/"
    os.mkdir("/tmp/at")
    return {
        "mount tmpfs": call((165, 40), b"none", b"/tmp/at", b"tmpfs", 0, None),
        "mount proc": call((165, 40), b"proc", b"/tmp/at", b"proc", 0, None),
        "bind": call((165, 40), b"/usr", b"/tmp/at", None, 4096, None),
        "remount": call((165, 40), b"none", root, None, 32 | 4096, None),
        "propagation": call((165, 40), b"none", root, None, 1 << 20 | 16384, None),
        "umount": call((166, 39), b"/proc/kcore", 2),
        "umount bundle": call((166, 39), b"/skill", 2),
        "pivot_root": call((155, 41), root, tmp),
        "chroot": call((161, 51), tmp),
        "open_tree": call(428, -100, b"/", 1),
        "move_mount": call(429, -100, b"/tmp", -100, b"/tmp/at", 0),
        "fsopen": call(430, b"tmpfs", 0),
        "fsconfig": call(431, 0, 0, None, None, 0),
        "fsmount": call(432, 0, 0, 0),
        "fspick": call(433, -100, b"/", 0),
        "mount_setattr": call(442, -100, b"/", 0, ctypes.create_string_buffer(32), 32),
        "swapon": call((167, 224), b"/tmp/at", 0),
        "quotactl": call((179, 60), 0, None, 0, None),
        "name_to_handle_at": call((303, 264), -100, b"/usr", ctypes.create_string_buffer(128), ctypes.create_string_buffer(8), 0),
        "open_by_handle_at": call((304, 265), 0, ctypes.create_string_buffer(128), 0),
    }
`

const NAMESPACES = `${SYSCALLS}
FLAGS = {"mount": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000}
def handler(input):
    tries = {}
    for name, flag in FLAGS.items():
        tries["unshare " + name] = call((272, 97), flag)
        tries["clone " + name] = call((56, 220), flag | 17, 0, 0, 0, 0)
        tries["unshare user+" + name] = call((272, 97), 0x10000000 | flag)
    tries["unshare time"] = call((272, 97), 0x80)
    for name in os.listdir("/proc/self/ns"):
        fd = os.open("/proc/self/ns/" + name, os.O_RDONLY)
        tries["setns " + name] = call((308, 268), fd, 0)
    try: fd = os.pidfd_open(os.getppid())
    except OSError: fd = -1
    tries["setns pidfd"] = call((308, 268), fd, 0x20000)
    clone3 = call(435, ctypes.create_string_buffer(88), 88)
    return {**tries, "clone3": "EPERM" if clone3 == "ENOSYS" else f"clone3: {clone3}"}
`

const INTERFACES = `${SYSCALLS}
def handler(input):
    buffer = ctypes.create_string_buffer(256)
    return {
        "io_uring_setup": call(425, 8, buffer),
        "io_uring_enter": call(426, 0, 0, 0, 0, None, 0),
        "io_uring_register": call(427, 0, 0, None, 0),
        "bpf map": call((321, 280), 0, buffer, 64),
        "bpf load": call((321, 280), 5, buffer, 64),
        "perf_event_open": call((298, 241), buffer, 0, -1, -1, 0),
        "userfaultfd": call((323, 282), 1),
        "keyctl": call((250, 219), 0, -3, 1),
        "add_key": call((248, 217), b"user", b"abuse", b"x", 1, -3),
        "request_key": call((249, 218), b"user", b"abuse", None, 0),
        "kexec_load": call((246, 104), 0, 0, None, 0),
        "kexec_file_load": call((320, 294), 0, 0, 0, None, 0),
        "init_module": call((175, 105), buffer, 0, b""),
        "finit_module": call((313, 273), 0, b"", 0),
        "delete_module": call((176, 106), b"tcp", 0),
        "reboot": call((169, 142), 0xfee1dead, 672274793, 0, None),
        "acct": call((163, 89), None),
        "fanotify_init": call((300, 262), 0, 0),
        "iopl": call((172, None), 3),
        "modify_ldt": call((154, None), 0, buffer, 16),
        "memfd_secret": call(447, 0),
        "mbind": call((237, 235), 0, 0, 0, None, 0, 0),
        "move_pages": call((279, 239), 0, 0, None, None, None, 0),
        "lookup_dcookie": call((212, 18), 0, buffer, 64),
        "personality": call((135, 92), 0x0040000),
    }
`

const STRANGE_CALLS = `${SYSCALLS}
import mmap, signal
def in_child(action):
    pid = os.fork()
    if pid == 0: action(); os._exit(0)
    status = os.waitpid(pid, 0)[1]
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "lived"
def compat():
    """getpid as a 32-bit program would ask for it: mov eax, 20; int 0x80; ret"""
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex("b814000000cd80c3"))
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
def handler(input):
    found = {str(number): call(number) for number in (467, 500, 999, 4096, 2**20, 0x3fffffff)}
    if not ARM:
        found["x32"] = in_child(lambda: call(0x40000000 | 39))
        found["x32 ptrace"] = in_child(lambda: call(0x40000000 | 521, 0, 0, 0, 0))
        found["32 bit"] = in_child(compat)
    return found
`

const FAMILIES = `
import errno, socket
def handler(input):
    made = set()
    for family in range(0, 64):
        for kind in (1, 2, 3, 4, 5, 6, 10):
            for protocol in (0, 1, 4, 15):
                for make in (socket.socket, socket.socketpair):
                    try:
                        for one in [make(family, kind, protocol)]:
                            made.add(f"{family}/{kind}")
                            for each in (one if isinstance(one, tuple) else [one]): each.close()
                    except (OSError, ValueError): pass
    return sorted(made)
`

const SCHEDULING = `${SYSCALLS}
def handler(input):
    priority = lambda n: os.sched_param(n)
    deadline = (ctypes.c_uint32 * 12)(48, 6, 0, 0, 0, 0, 10**6, 0, 10**7, 0, 10**7, 0)
    # The last two are refused in other ways: no such right, and beyond the limit.
    tries = {
        "fifo": attempt(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, priority(50))),
        "round robin": attempt(lambda: os.sched_setscheduler(0, os.SCHED_RR, priority(1))),
        "deadline": call((314, 274), 0, ctypes.byref(deadline), 0),
        "nicer": attempt(lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)),
        "others": attempt(lambda: os.setpriority(os.PRIO_PROCESS, 1, -5)),
        "io realtime": call((251, 30), 1, 0, 1 << 13),
        "lock memory": call((151, 230), 3),
    }
    return tries
`

/** Asking the kernel for what a skill has no business with. */
export const KERNEL: readonly AbuseCase[] = [
  {
    number: 16,
    title: 'tracing and other processes’ memory',
    ...evidence(TRACING, (output, world) => refused(output, ['EPERM'], world)),
  },
  {
    number: 19,
    title: 'mounts, the old way and the new',
    ...evidence(MOUNTING, (output, world) => refused(output, ['EPERM'], world)),
  },
  {
    number: 20,
    title: 'namespaces of its own',
    ...evidence(NAMESPACES, (output, world) => refused(output, ['EPERM'], world)),
  },
  {
    number: 21,
    title: 'io_uring, bpf, perf, userfaultfd, keys, kexec, modules',
    ...evidence(INTERFACES, (output, world) => refused(output, ['EPERM', 'ENOSYS'], world)),
  },
  {
    number: 22,
    title: 'unknown system calls and other calling conventions',
    ...evidence(STRANGE_CALLS, (output) => refused(output, ['ENOSYS', 'SIGSYS'])),
  },
  {
    number: 23,
    title: 'sockets of families such as VSOCK, ALG, PACKET, NETLINK',
    ...evidence(FAMILIES, (output) => {
      const families = new Set((output as string[]).map((made) => Number(made.split('/')[0])))
      // UNIX, INET, INET6; and no raw ones.
      assert.deepEqual(
        [...families].toSorted((a, b) => a - b),
        [1, 2, 10],
      )
      assert.deepEqual(
        (output as string[]).filter((made) => /^(2|10)\/(3|10)$/.test(made)),
        [],
      )
    }),
  },
  {
    number: 32,
    title: 'realtime scheduling and locked memory',
    ...evidence(SCHEDULING, (output) => refused(output, ['EPERM', 'EACCES', 'ENOMEM'])),
  },
]
