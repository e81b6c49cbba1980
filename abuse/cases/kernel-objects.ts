import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { SYSCALLS, evidence, refused } from '../attacks.ts'
import type { AbuseCase, AbuseWorld } from '../case.ts'
import { hold } from '../hold.ts'

const SETUID = `
import os, shutil, stat, subprocess
def said(argv):
    # In a program with more rights than its caller the loader says nothing of the sort. Some programs wait for more than that.
    with open("/tmp/said", "w+b") as out:
        run = subprocess.Popen(argv, env={"LD_SHOW_AUXV": "1"}, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        try: run.wait(1)
        except subprocess.TimeoutExpired: run.kill(); run.wait()
        out.seek(0)
        return dict(line.split(":", 1) for line in out.read().decode("utf-8", "replace").splitlines() if line.startswith("AT_"))
def handler(input):
    programs = {}
    for folder in ("/usr/bin", "/usr/sbin", "/usr/lib/openssh"):
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            path = folder + "/" + name
            mode = os.lstat(path).st_mode
            if not stat.S_ISREG(mode) or not mode & (stat.S_ISUID | stat.S_ISGID) or not os.access(path, os.X_OK): continue
            got = {key: value.strip() for key, value in said([path, "--version"]).items()}
            rights = {key: got.get(key) for key in ("AT_EUID", "AT_EGID", "AT_SECURE")}
            if rights != {"AT_EUID": "1000", "AT_EGID": "1000", "AT_SECURE": "0"}: programs[path] = rights
    shutil.copy("/usr/bin/id", "/tmp/id")
    os.chmod("/tmp/id", 0o6755)
    own = "euid " + subprocess.run(["/tmp/id", "-u"], capture_output=True, text=True).stdout.strip()
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    with open("/proc/self/mountinfo") as file:
        mounts = [line.split()[4] for line in file if "nosuid" not in line.split()[5].split(",")]
    return {"programs": programs, "own": own, "caps": status["CapEff"].strip(), "nnp": status["NoNewPrivs"].strip(),
            "mounts": [one for one in mounts if one != "/"]}`
const TYPING = `${SYSCALLS}
TIOCSTI, TIOCLINUX, TCGETS = 0x5412, 0x541C, 0x5401
def handler(input):
    pad = ctypes.create_string_buffer(b"x" * 64)
    tried = {}
    for fd in (0, 1, 2):
        for request in (TIOCSTI, TIOCLINUX, TIOCSTI | 1 << 32, TIOCLINUX | 7 << 40):
            tried[f"{fd} {request:x}"] = call((16, 29), fd, request, pad)
    for path in ("/dev/tty", "/dev/console", "/dev/ptmx", "/dev/pts/ptmx", "/dev/tty0", "/dev/pts/0"):
        tried[path] = attempt(lambda: os.open(path, os.O_RDWR))
    with open("/proc/self/stat") as file: terminal = file.read().rpartition(")")[2].split()[4]
    return {"terminal": terminal, "control": call((16, 29), 1, TCGETS, pad), **tried}`
/** What the kernel keeps by name for all of the machine, and what only root may change. */
export const KERNEL_OBJECTS: readonly AbuseCase[] = [
  { number: 38, title: 'unix sockets of the host, abstract and in folders', world: hostSockets },
  {
    number: 39,
    title: 'set-user-id programs in /usr, and one of its own',
    ...evidence(SETUID, (output) => {
      const { programs, own, caps, nnp, mounts } = output as Record<string, unknown>
      assert.deepEqual(programs, {}, 'a program of root runs with other rights than the skill')
      assert.equal(own, 'euid 1000')
      assert.deepEqual({ caps, nnp, mounts }, { caps: '0000000000000000', nnp: '1', mounts: [] })
    }),
  },
  {
    number: 40,
    title: 'typing into a terminal (TIOCSTI, TIOCLINUX)',
    ...evidence(TYPING, (output) => {
      const { terminal, control, ...attempts } = output as Record<string, string>
      assert.equal(terminal, '0', 'it has a controlling terminal')
      assert.equal(control, 'ENOTTY', 'other requests reach the kernel')
      refused(attempts, ['EPERM', 'ENOENT', 'ENXIO'])
    }),
  },
  {
    number: 41,
    title: 'System V and POSIX IPC, message queues: also between two tenants',
    ...evidence(
      `${SYSCALLS}
def handler(input):
    return {
        "shmget": call((29, 194), 4242, 4096, 0o1666), "semget": call((64, 190), 4242, 1, 0o1666),
        "msgget": call((68, 186), 4242, 0o1666), "mq_open": call((240, 180), b"/between", os.O_CREAT | os.O_RDWR, 0o666, None),
        "mqueue": attempt(lambda: os.listdir("/dev/mqueue")), "shmget, private": call((29, 194), 0, 4096, 0o1600),
    }`,
      (output, world) => refused(output, ['ENOSYS', 'ENOENT'], world),
    ),
    world: sharedMemory,
  },
]

/** A host's own unix sockets: one by name, one in a folder that everybody may pass. */
async function hostSockets(world: AbuseWorld): Promise<void> {
  const name = `\0skillet-abuse-${randomBytes(6).toString('hex')}`
  const path = join(await world.folder(), 'socket')
  let callers = 0
  for (const at of [name, path]) {
    const server = createServer((socket) => {
      callers++
      socket.end('host')
    })
    server.listen(at)
    await once(server, 'listening')
    world.after(() => server.close())
    const own = connect(at).resume()
    await once(own, 'close')
  }
  assert.equal(callers, 2, 'the sockets do not work at all')
  const input = { paths: [name, path, '/run/dbus/system_bus_socket', '/var/run/docker.sock', '/run/systemd/notify'] }
  const fromPython = await world.python(`
import errno, socket
def handler(input):
    found = {}
    for path in input["paths"]:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            with socket.socket(socket.AF_UNIX, kind) as client:
                try: client.connect(path); found[f"{path!r} {kind}"] = "connected"
                except OSError as error: found[f"{path!r} {kind}"] = errno.errorcode[error.errno]
    found["known"] = "empty" if len(open("/proc/net/unix").readlines()) == 1 else open("/proc/net/unix").read()
    return found`)
  const fromNode = await world.node(`
import { connect } from 'node:net'
export async function execute({ paths }) {
  const found = {}
  for (const path of paths) {
    found[path] = await new Promise((done) =>
      connect(path).on('connect', () => done('connected')).on('error', (error) => done(error.code)))
  }
  return found
}`)
  for (const session of [fromPython, fromNode]) {
    const { output } = await world.invoke(session, input)
    refused(output, ['ECONNREFUSED', 'ENOENT', 'empty'])
  }
  assert.equal(callers, 2, 'somebody else connected')
}

/** What one tenant's run keeps in shared memory and by name, another's, at the same time, does not find. */
async function sharedMemory(world: AbuseWorld): Promise<void> {
  const one = await world.python(`
import ctypes, os, time
def handler(input):
    if input.get("keep"):
        from multiprocessing import shared_memory
        kept = shared_memory.SharedMemory("between", create=True, size=4096)
        ctypes.CDLL(None).sem_open(b"/between", os.O_CREAT, 0o666, 1)
        print(sorted(os.listdir("/dev/shm")), flush=True)
        time.sleep(100)
    return {"shm": os.listdir("/dev/shm"), "ipc": os.readlink("/proc/self/ns/ipc")}`)
  const other = await world.python(`
import os
def handler(input):
    return {"shm": os.listdir("/dev/shm"), "ipc": os.readlink("/proc/self/ns/ipc")}`)
  const before = (await world.invoke(one, {})).output as { ipc: string }
  const held = await hold(one, { keep: true })
  assert.match(held.said, /between/)
  const seen = (await world.invoke(other, {})).output as { shm: string[]; ipc: string }
  assert.deepEqual(seen.shm, [])
  assert.notEqual(seen.ipc, before.ipc)
  await held.end()
}
