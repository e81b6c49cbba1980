import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestSessions, invoke, openTestSessions } from '../test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions()
})
afterAll(() => sandboxes.close())

const CODE = `
import ctypes, fcntl, os, resource, socket
def handler(input):
    first = os.getppid()
    do = {
        "files": lambda: resource.prlimit(first, resource.RLIMIT_NOFILE, (5, 5)),
        "a soft limit": lambda: resource.prlimit(first, resource.RLIMIT_STACK, (1234567, resource.RLIM_INFINITY)),
        "processor": lambda: os.sched_setaffinity(first, {min(os.sched_getaffinity(0))}),
        "priority": lambda: os.setpriority(os.PRIO_PROCESS, first, 5),
        "scheduler": lambda: os.sched_setscheduler(first, os.SCHED_BATCH, os.sched_param(0)),
        "mode": lambda: os.chmod("/tmp", 0o700),
        "attribute": lambda: os.setxattr("/dev/shm", "user.kept", b"secret"),
        "blocking": lambda: os.set_blocking(1, False),
        "appending": lambda: fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) | os.O_APPEND),
        "log": lambda: socket.socket(fileno=os.dup(1)).shutdown(socket.SHUT_WR),
        "errors": lambda: socket.socket(fileno=os.dup(2)).shutdown(socket.SHUT_WR),
        "nothing": lambda: None,
        "own": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
        "times": lambda: os.utime("/tmp", (12345, 54321)),
    }
    if input == "look":
        return [resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_STACK)[0], len(os.sched_getaffinity(0)),
            os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), [(os.stat(f).st_mode, os.listxattr(f)) for f in ("/tmp", "/dev/shm")],
            os.stat("/tmp").st_mtime == 54321, fcntl.fcntl(1, fcntl.F_GETFL), os.write(1, b"x"), os.write(2, b"x")]
    if input == "io": return ctypes.CDLL(None).syscall({"x86_64": 251, "aarch64": 30}[os.uname().machine], 1, first, 0)
    try: do[input]()
    except OSError as error: return error.errno
`

test.each([
  'files',
  'a soft limit',
  'processor',
  'priority',
  'scheduler',
  'mode',
  'attribute',
  'blocking',
  'appending',
  'log',
  'errors',
])('a run that changes for those after it what is not its own (%s) is the last one of its session', async (what) => {
  const session = await sandboxes.python(CODE)
  const before = (await invoke(session, 'look')).output
  const { output } = await invoke(session, what)
  const again = await session.idle()
  // Where it could not be done, or changes nothing, as on a machine with one processor, the next run finds all as it was.
  if (again) expect((await invoke(session, 'look')).output).toEqual(before)
  if (output === null && what !== 'processor') expect(again).toBe(false)
})

test('a run that changes what is its own is not', async () => {
  const session = await sandboxes.python(CODE)
  const before = (await invoke(session, 'look')).output
  for (const what of ['nothing', 'own', 'times']) {
    expect((await invoke(session, what)).output).toBeNull()
    expect((await invoke(session, 'look')).output).toEqual(before)
  }
  expect((await invoke(session, 'io')).output).toBe(-1)
})
