import assert from 'node:assert/strict'
import { SYSCALLS, evidence } from '../attacks.ts'
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
        if not name.isdigit() or int(name) == os.getpid(): continue
        status = dict(line.split(":\\t", 1) for line in open(f"/proc/{name}/status").read().splitlines() if ":\\t" in line)
        one = {key: status[key].strip() for key in ("Name", "Seccomp", "NoNewPrivs", "CapEff", "CapPrm", "CapBnd", "CapAmb", "Uid")}
        for file in ("mem", "environ", "maps", "auxv"): one[file] = attempt(lambda: os.close(os.open(f"/proc/{name}/{file}", os.O_RDONLY)))
        one["write"] = attempt(lambda: os.close(os.open(f"/proc/{name}/mem", os.O_RDWR)))
        one["parent"] = int(name) == os.getppid()
        found[name] = one
    return found
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

/** Looking for what belongs to the host or to the server. */
export const SECRETS_OF_THE_HOST: readonly AbuseCase[] = [
  {
    number: 14,
    title: 'environment and command line of the launcher',
    ...evidence(ENVIRONMENTS, (output) => {
      const found = output as Record<string, string | null>
      assert.match(found['1/environ'] ?? '', /^(PWD=\/\0)?$/)
      assert.equal(found['1/cwd'] ?? '/', '/')
      const all = JSON.stringify(found)
      for (const word of [INHERITED.secret, INHERITED.variable, 'postgres', process.cwd(), 'skillet-sessions-']) {
        assert.ok(word === '/' || !all.includes(word), `it found "${word}": ${all}`)
      }
    }),
  },
  {
    number: 15,
    title: 'memory of the process that serves the runs',
    ...evidence(MEMORIES, (output, _, { session }) => {
      const found = Object.entries(output as Record<string, Record<string, string | boolean>>)
      assert.ok(found.length > 0)
      for (const [pid, one] of found) {
        const told = `process ${pid}: ${JSON.stringify(one)}`
        // The one that forks for every run, and sees all of their data pass, is closed; a Node skill shares its process.
        if (one['Name'] === 'python3' && one['parent']) {
          for (const file of ['mem', 'environ', 'auxv', 'write'])
            assert.match(String(one[file]), /^E(ACCES|PERM)$/, told)
        }
        // Whoever could be taken over has no more rights than the skill.
        for (const rights of ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb']) assert.match(String(one[rights]), /^0+$/, told)
        assert.equal(one['Seccomp'], '2', told)
        assert.equal(one['NoNewPrivs'], '1', told)
      }
      assert.equal(session.calls, 1)
    }),
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
