import assert from 'node:assert/strict'
import { SYSCALLS, evidence, refused, startingPython } from '../attacks.ts'
import type { AbuseCase } from '../case.ts'
import { INHERITED } from '../inherited.ts'

const ENVIRONMENTS = `
import os
def handler(input):
    found = {"own": dict(os.environ)}
    for name in os.listdir("/proc"):
        for what in ("environ", "cmdline", "cwd"):
            if not name.isdigit(): continue
            try: found[name + "/" + what] = os.readlink(f"/proc/{name}/cwd") if what == "cwd" else open(f"/proc/{name}/{what}").read()
            except OSError as error: found[name + "/" + what] = None
    return found
`

const MEMORIES = `${SYSCALLS}
def handler(input):
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid() or not os.listdir("/proc/" + name): continue
        status = dict(line.split(":\\t", 1) for line in open(f"/proc/{name}/status").read().splitlines() if ":\\t" in line)
        one = {key: status[key].strip() for key in ("Name", "Seccomp", "NoNewPrivs", "CapEff", "CapPrm", "CapBnd", "CapAmb", "Uid")}
        for file in ("mem", "environ", "maps", "auxv"): one[file] = attempt(lambda: os.close(os.open(f"/proc/{name}/{file}", os.O_RDONLY)))
        one["write"] = attempt(lambda: os.close(os.open(f"/proc/{name}/mem", os.O_RDWR)))
        one["parent"] = int(name) == os.getppid()
        found[name] = one
    return found
`

/** Whoever writes there makes bubblewrap's own process do as it likes: outlive its parent, and see all runs of the session. */
const FIRST_PROCESS = `${SYSCALLS}
def handler(input):
    tries = {}
    for way in ("/proc/1", "/proc/1/task/1", "/proc/self/../1", "/proc/self/task/../../1", "/proc/self/root/proc/1"):
        for file in ("mem", "environ", "maps", "syscall", "cwd", "root", "ns", "fd", "clear_refs"):
            tries[f"{way}/{file}"] = attempt(lambda: os.close(os.open(f"{way}/{file}", os.O_RDWR if file == "mem" else os.O_RDONLY)))
    tries["planted"] = attempt(lambda: os.mkdir("/proc/1/planted"))
    return tries
`

const DESCRIPTORS = `
import os
def handler(input):
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit(): continue
        try: fds = os.listdir(f"/proc/{name}/fd")
        except OSError: continue
        for fd in fds:
            try: found[name + "/" + fd] = os.readlink(f"/proc/{name}/fd/{fd}")
            except OSError: pass
    return found
`

const KERNEL_FILES = `${SYSCALLS}
def read(path):
    try:
        with open(path, "rb") as file: return file.read(4096).decode("latin1")
    except OSError as error: return ""
def handler(input):
    names = ("cmdline", "config.gz", "kallsyms", "kcore", "keys", "key-users", "kmsg", "timer_list", "sched_debug", "vmallocinfo", "sysrq-trigger", "latency_stats")
    found = {name: read("/proc/" + name)[:100] for name in names}
    found["sys"] = " ".join(os.listdir("/sys")) if os.path.exists("/sys") else ""
    found["mem"] = " ".join(name for name in ("mem", "kmem", "port", "kmsg", "vda", "sda", "tty", "console", "fuse", "kvm", "net") if os.path.exists("/dev/" + name))
    found["dmesg"] = "" if call((103, 116), 3, ctypes.create_string_buffer(1024), 1024) == "EPERM" else "read"
    found["modules"] = " ".join(line for line in read("/proc/modules").splitlines() if not line.endswith(" 0x0000000000000000") and " 0x" in line and int(line.split(" 0x")[1].split()[0], 16))
    found["pagemap"] = "".join(f"{frame:x} " for frame in frames())
    return found
def frames():
    """Physical addresses of its own pages."""
    try:
        with open("/proc/self/pagemap", "rb", 0) as file:
            file.seek(id(call) // 4096 * 8)
            frame = int.from_bytes(file.read(8), "little") & (2**55 - 1)
            return [frame] if frame else []
    except OSError: return []
`

const first = evidence(FIRST_PROCESS, (output) => refused(output, ['ENOENT', 'EACCES', 'EROFS']))

/** Whoever could be taken over has no more rights than the skill. */
function rights(output: unknown): Record<string, string | boolean>[] {
  const found = Object.values(output as Record<string, Record<string, string | boolean>>)
  assert.ok(found.length > 0, 'it saw no other process')
  for (const one of found) {
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb'])
      assert.match(String(one[set]), /^0+$/, JSON.stringify(one))
    assert.equal(one['Seccomp'], '2')
    assert.equal(one['NoNewPrivs'], '1')
  }
  return found
}

/** Looking for what belongs to the host or to the server. */
export const SECRETS_OF_THE_HOST: readonly AbuseCase[] = [
  {
    number: 14,
    title: 'environment and command line of the launcher',
    ...evidence(ENVIRONMENTS, (output) => {
      const found = output as Record<string, string | null>
      assert.match(found['1/environ'] ?? '', /^(HOME=\/tmp\0)?(PWD=\/\0)?$/)
      assert.equal(found['1/cwd'] ?? '/', '/')
      const all = JSON.stringify(found)
      for (const word of [INHERITED.secret, INHERITED.variable, 'postgres', process.cwd(), 'skillet-sessions-']) {
        assert.ok(word === '/' || !all.includes(word), `it found "${word}": ${all}`)
      }
    }),
  },
  {
    number: 15,
    title: 'memory of the processes that serve the runs',
    python: [
      {
        code: MEMORIES,
        outcome: 'succeeded',
        held({ output }) {
          const server = rights(output).find(({ parent }) => parent)
          // It forks for every run, and sees all of their data pass.
          for (const file of ['mem', 'environ', 'auxv', 'write'])
            assert.equal(server?.[file], 'EACCES', JSON.stringify(output))
        },
      },
      first.python,
    ],
    // A Node skill shares its process with what serves it.
    node: [
      { code: startingPython(MEMORIES), outcome: 'succeeded', held: ({ output }) => void rights(output) },
      first.node,
    ],
  },
  {
    number: 33,
    title: 'descriptors that the server was started with',
    ...evidence(DESCRIPTORS, (output) => {
      const found = Object.entries(output as Record<string, string>)
      assert.ok(found.length >= 3, JSON.stringify(output))
      const odd = found.filter(
        ([, to]) => !/^(pipe|socket|anon_inode):/.test(to) && !/^\/(proc\/|skill$|dev\/(null|urandom)$)/.test(to),
      )
      assert.deepEqual(Object.fromEntries(odd), {})
    }),
  },
  {
    number: 34,
    title: 'what the kernel tells of itself and of the host',
    ...evidence(KERNEL_FILES, (output) => {
      const told = Object.entries(output as Record<string, string>).filter(([, text]) => text !== '')
      assert.deepEqual(Object.fromEntries(told), {})
    }),
  },
]
