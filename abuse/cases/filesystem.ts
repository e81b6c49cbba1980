import assert from 'node:assert/strict'
import { newSessionId } from '../../src/model/ids.ts'
import { SYSCALLS, evidence, refused, startingPython } from '../attacks.ts'
import type { AbuseCase, AttackRun, AbuseWorld } from '../case.ts'

/** Where it should succeed, it changes nothing that is there: it may be the host's. */
const WRITING = `${SYSCALLS}
def same_rights(path): os.chmod(path, os.stat(path).st_mode & 0o7777)
def same_owner(path): os.chown(path, os.stat(path).st_uid, os.stat(path).st_gid)
def same_times(path): os.utime(path, ns=(os.stat(path).st_atime_ns, os.stat(path).st_mtime_ns))
def handler(input):
    tries = {}
    for folder in ("/", "/dev", "/dev/fd", "/usr", "/usr/bin", "/etc", "/etc/ssl", "/skill", "/opt", "/opt/skillet", "/opt/skillet/hosts", "/run", "/var", "/proc", "/proc/self", "/proc/sys/kernel"):
        if not os.path.isdir(folder): continue
        tries["create in " + folder] = attempt(lambda: os.close(os.open(folder + "/planted", os.O_CREAT | os.O_WRONLY)))
        tries["folder in " + folder] = attempt(lambda: os.mkdir(folder + "/folder"))
        tries["rights of " + folder] = attempt(lambda: same_rights(folder))
    for file in ("/etc/passwd", "/etc/resolv.conf", "/usr/bin/python3", "/skill/" + input["file"], "/opt/skillet/node", "/opt/skillet/hosts/probes.py"):
        tries["write " + file] = attempt(lambda: os.close(os.open(file, os.O_WRONLY)))
        tries["rename " + file] = attempt(lambda: os.rename(file, file))
        tries["touch " + file] = attempt(lambda: same_times(file))
    for node in ("null", "zero", "full", "random", "urandom"):
        tries["rights of " + node] = attempt(lambda: same_rights("/dev/" + node))
        tries["owner of " + node] = attempt(lambda: same_owner("/dev/" + node))
        tries["times of " + node] = attempt(lambda: same_times("/dev/" + node))
    tries["device"] = attempt(lambda: os.mknod("/tmp/device", 0o20666, os.makedev(1, 1)))
    tries["link out"] = attempt(lambda: os.link("/skill/" + input["file"], "/tmp/linked"))
    return {"tries": tries, "writable": writable()}
def writable():
    """Where something is mounted that is not sealed."""
    found = []
    for line in open("/proc/self/mountinfo"):
        at = line.split()[4]
        if os.path.isdir(at) and not os.statvfs(at).f_flag & os.ST_RDONLY: found.append(at)
    return sorted(found)
`

function sealed({ output }: AttackRun): void {
  const { tries, writable } = output as { tries: unknown; writable: string[] }
  // EINVAL: the owner is a user that there is none of inside.
  refused(tries, ['EROFS', 'EACCES', 'EPERM', 'ENOENT', 'EXDEV', 'EBUSY', 'ETXTBSY', 'EEXIST', 'EINVAL'])
  assert.deepEqual(writable, ['/dev/shm', '/proc', '/tmp'])
}

const DESCRIPTORS_IN_PYTHON = `
import errno, os
def handler(input):
    kept = []
    try:
        while len(kept) < 100_000: kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error: return {"made": len(kept), "error": errno.errorcode[error.errno]}
    return {"made": len(kept)}
`
const DESCRIPTORS_IN_NODE = `
import { openSync } from 'node:fs'
export function execute() {
  for (let made = 0; made < 100_000; made++) try { openSync('/dev/null') } catch (error) { return { made, error: error.code } }
}`
function fewDescriptors({ output }: AttackRun): void {
  const { made, error } = output as { made: number; error?: string }
  assert.equal(error, 'EMFILE')
  assert.ok(made <= 1024, `${made} were open`)
}

const SETTINGS = `${SYSCALLS}
def handler(input):
    opened, count = {}, 0
    for start in ("/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi", "/proc/tty", "/proc/driver"):
        for folder, _, names in os.walk(start):
            for name in names:
                path = folder + "/" + name
                count += 1
                if attempt(lambda: os.close(os.open(path, os.O_WRONLY))) == "ok": opened[path] = "opened"
    # What is there already: a machine where this succeeds must be none the worse for it.
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/swappiness", "/proc/sys/kernel/hostname"):
        def write():
            with open(path, "r+b", 0) as file:
                value = file.read()
                file.seek(0)
                file.write(value)
        how = attempt(write)
        if how == "ok": opened[path] = "written"
    return {"opened": opened, "count": count}
`

const DUMPING = `
import os, resource, signal
def handler(input):
    os.chdir("/tmp")
    try: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)); raised = True
    except (OSError, ValueError): raised = False
    ends = []
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
        pid = os.fork()
        if pid == 0: signal.signal(number, signal.SIG_DFL); os.kill(os.getpid(), number); os._exit(0)
        ends.append(os.WCOREDUMP(os.waitpid(pid, 0)[1]))
    return {"raised": raised, "dumped": any(ends), "files": os.listdir("/tmp")}
`

const ARGUMENTS = `${SYSCALLS}
def handler(input):
    run = lambda argv, env={}: os.posix_spawn("/bin/true", ["true", *argv], env)
    return {
        "one": attempt(lambda: run(["x" * 2**18])),
        "many": attempt(lambda: run(["x" * 1000] * 8000)),
        "environment": attempt(lambda: run([], {f"A{i}": "x" * 1000 for i in range(8000)})),
    }
`

/** A script whose caller sends arguments that no program can be given: that run fails, and no other. */
async function scriptArguments(world: AbuseWorld): Promise<void> {
  const script = 'scripts/count.sh'
  const bundle = await world.bundle({ [script]: '#!/bin/bash\necho $#\n' })
  const session = await world.driver.prepare({
    id: newSessionId(),
    runtime: 'python3',
    handler: { kind: 'skill-md', scripts: [script] },
    bundle,
    memory_mb: 256,
    network: [],
  })
  world.after(() => session.kill())
  const fine = async (): Promise<void> => {
    const { output } = await world.invoke(session, { script, args: ['a', 'b'] })
    assert.deepEqual((output as { stdout: string }).stdout, '2\n')
  }
  await fine()
  for (const args of [['x'.repeat(2 ** 20)], Array.from({ length: 5000 }, () => 'x'.repeat(1000))]) {
    const { result } = await world.invoke(session, { script, args })
    assert.equal(result.status, 'failed', JSON.stringify(result).slice(0, 300))
    assert.match(result.error.message, /too long|most|refused|E2BIG/i)
    await fine()
  }
}

/** Where something may be written, left or opened. */
export const FILESYSTEM: readonly AbuseCase[] = [
  {
    number: 7,
    title: 'writing to / and /dev, and to what the skill is',
    python: { code: WRITING, input: { file: 'main.py' }, outcome: 'succeeded', held: sealed },
    node: { code: startingPython(WRITING), input: { file: 'index.mjs' }, outcome: 'succeeded', held: sealed },
  },
  {
    number: 8,
    title: 'opening files without end',
    python: { code: DESCRIPTORS_IN_PYTHON, outcome: 'succeeded', held: fewDescriptors },
    node: { code: DESCRIPTORS_IN_NODE, outcome: 'succeeded', held: fewDescriptors },
  },
  {
    number: 24,
    title: 'writing to /proc/sys, from the server’s root above all',
    ...evidence(SETTINGS, (output) => {
      const { opened, count } = output as { opened: unknown; count: number }
      assert.deepEqual(opened, {})
      assert.ok(count > 100, `only ${count} settings were tried`)
    }),
  },
  {
    number: 31,
    title: 'core dumps left behind',
    ...evidence(DUMPING, (output) => assert.deepEqual(output, { raised: false, dumped: false, files: [] })),
  },
  {
    number: 35,
    title: 'arguments that are too long',
    ...evidence(ARGUMENTS, (output, world) => refused(output, ['E2BIG'], world)),
    world: scriptArguments,
  },
]
