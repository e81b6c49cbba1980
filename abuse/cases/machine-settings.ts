import { readFileSync } from 'node:fs'
import { SYSCALLS, evidence, refused } from '../attacks.ts'
import type { AbuseCase } from '../case.ts'

const SETTINGS = `${SYSCALLS}
import resource, stat, time
def write(path, text):
    with open(path, "w") as file: file.write(text)
def handler(input):
    pad = ctypes.create_string_buffer(256)
    root = {
        "settimeofday": call((164, 170), pad, None), "clock_settime": call((227, 112), 0, pad), "adjtimex": call((159, 171), pad),
        "clock_adjtime": call((305, 266), 0, pad), "sethostname": call((170, 161), b"mine", 4), "setdomainname": call((171, 162), b"mine", 4),
        "chroot": call((161, 51), b"/tmp"), "pivot_root": call((155, 41), b"/tmp", b"/tmp"), "reboot": call((169, 142), 0xfee1dead, 672274793, 0, None),
        "hostname file": attempt(lambda: write("/proc/sys/kernel/hostname", "mine")),
        "nice": attempt(lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)),
    }
    for name, kind, device in (("null", stat.S_IFCHR, os.makedev(1, 3)), ("memory", stat.S_IFCHR, os.makedev(1, 1)), ("disk", stat.S_IFBLK, os.makedev(254, 0))):
        for folder in ("/tmp", "/dev/shm"):
            root[f"mknod {folder} {name}"] = attempt(lambda: os.mknod(f"{folder}/{name}", kind | 0o666, device))
    limits = {}
    for name in ("NOFILE", "NPROC", "CORE", "FSIZE", "MEMLOCK"):
        which = getattr(resource, "RLIMIT_" + name)
        more = resource.getrlimit(which)[1] + 1
        try: resource.setrlimit(which, (more, more)); limits[name] = "raised"
        except (ValueError, OSError): limits[name] = "EPERM"
    score = {key: attempt(lambda: write("/proc/self/oom_score_adj", text)) for key, text in (("least", "-1000"), ("less", "-1"), ("zero", "0"))}
    return {**root, "limits": limits, "score": score}`

/** What only root may change. */
export const MACHINE_SETTINGS: readonly AbuseCase[] = [
  {
    number: 42,
    title: 'clock, host name, chroot, devices, oom_score_adj, limits',
    ...evidence(SETTINGS, (output) => {
      const { limits, score, ...attempts } = output as { limits: Record<string, string>; score: Record<string, string> }
      refused(attempts, ['EPERM', 'EACCES', 'EROFS'])
      refused(limits, ['EPERM'])
      // Only who may do so with others' processes keeps its sandboxes from going back to where it is itself; nobody gets below that.
      const { zero, ...below } = score
      refused(below, ['EACCES', 'EPERM'])
      if (mayHoldScores()) refused({ zero }, ['EACCES', 'EPERM'])
    }),
  },
]

/** CAP_SYS_RESOURCE, which not every root has. */
function mayHoldScores(): boolean {
  const held = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!
  return ((BigInt(`0x${held}`) >> 24n) & 1n) === 1n
}
