import assert from 'node:assert/strict'
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SANDBOX_UIDS } from '../../src/runtime/bwrap/uids.ts'
import type { AbuseCase, AbuseWorld } from '../case.ts'
import { hold } from '../hold.ts'
import { processesIn } from '../host.ts'
import { ownSessions } from '../own-sessions.ts'

const MARKER = 'tenant-one-4b1d'

/** Keeps the word wherever a skill may keep something. */
const KEEPING = `
# ${MARKER} in the bundle
import os, time
def handler(input):
    for folder in ("/tmp", "/dev/shm"):
        with open(folder + "/${MARKER}", "w") as file: file.write("${MARKER}")
        os.chmod(folder + "/${MARKER}", 0o666)
    os.environ["KEPT"] = "${MARKER}"
    fd = os.memfd_create("${MARKER}") if input.get("hard") else os.open("/tmp/${MARKER}", os.O_RDWR)
    os.write(fd, b"${MARKER}" * 1000)
    print("kept", flush=True)
    time.sleep(1000)
`
const SEARCH_PYTHON = `
import os
MARKER = b"tenant-one-" + b"4b1d"
def handler(input):
    places, pids = [], []
    for name in os.listdir("/proc"):
        if not name.isdigit(): continue
        pids.append(int(name))
        for what in ("cmdline", "environ", "maps", "mountinfo", "root/skill/main.py"):
            try:
                with open(f"/proc/{name}/{what}", "rb") as file:
                    if MARKER in file.read(2**22): places.append(f"/proc/{name}/{what}")
            except OSError: pass
        try:
            for fd in os.listdir(f"/proc/{name}/fd"):
                if MARKER in os.readlink(os.fsencode(f"/proc/{name}/fd/{fd}")): places.append(f"/proc/{name}/fd/{fd}")
        except OSError: pass
    for root in ("/tmp", "/dev", "/var", "/run", "/home", "/root", "/srv", "/mnt", "/work", "/opt", "/skill", "/etc", *input["paths"]):
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.islink(path) or not os.path.isfile(path): continue
                try:
                    with open(path, "rb") as file:
                        if MARKER in file.read(2**20) or MARKER in os.fsencode(path): places.append(path)
                except OSError: pass
    return {"places": places, "pids": pids, "there": [path for path in input["paths"] if os.path.exists(path)],
            "spaces": {name: os.readlink("/proc/self/ns/" + name) for name in input["spaces"]}}
`
const SEARCH_NODE = `
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
const MARKER = 'tenant-one-' + '4b1d'
const quietly = (read, otherwise) => { try { return read() } catch { return otherwise } }
export function execute({ paths, spaces: names }) {
  const places = []
  const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
  for (const pid of pids) {
    for (const what of ['cmdline', 'environ', 'mountinfo', 'root/skill/main.py']) {
      if (quietly(() => readFileSync('/proc/' + pid + '/' + what, 'latin1'), '').includes(MARKER)) places.push(pid + what)
    }
  }
  for (const root of ['/tmp', '/dev/shm', '/var', '/run', '/home', '/root', '/srv', '/work', '/opt/skillet/hosts', '/skill', '/etc', ...paths]) {
    for (const entry of quietly(() => readdirSync(root, { recursive: true, withFileTypes: true }), [])) {
      const path = entry.parentPath + '/' + entry.name
      if (path.includes(MARKER) || (entry.isFile() && quietly(() => readFileSync(path, 'latin1'), '').includes(MARKER))) places.push(path)
    }
  }
  const spaces = Object.fromEntries(names.map((name) => [name, readlinkSync('/proc/self/ns/' + name)]))
  return { places, pids: pids.map(Number), there: paths.filter((path) => existsSync(path)), spaces }
}`

interface Found {
  readonly places: string[]
  readonly pids: number[]
  readonly there: string[]
  readonly spaces: Record<string, string>
}

/** One tenant and the other. */
export const TENANTS: readonly AbuseCase[] = [
  { number: 61, title: 'another tenant’s bundle, files, processes, user, session', world: acrossTenants },
]

async function acrossTenants(world: AbuseWorld): Promise<void> {
  const one = await world.python(KEEPING)
  const held = await hold(one, { hard: world.limits === 'hard' })
  assert.equal(held.said, 'kept')
  const { places } = world
  const bundles = readdirSync(places.bundles).map((name) => join(places.bundles, name))
  const its = bundles.filter((folder) => holds(join(folder, 'main.py'), MARKER))
  const users = [...new Set(its.flatMap(usersSeeing))]
  assert.ok(users.length > 0, 'the processes of the one cannot be found on the host')

  const paths = [places.root, places.bundles, places.staging, places.runtime, ...its]
  const others = [await world.python(SEARCH_PYTHON), await world.node(SEARCH_NODE)]
  // gVisor has none that could be compared: each has a kernel of its own.
  const spaces = world.driver.name === 'runsc' ? [] : ['pid', 'mnt', 'net', 'ipc', 'uts', 'user']
  const found: Found[] = []
  for (const other of others) {
    const ran = await world.invoke(other, { paths, spaces })
    assert.equal(ran.result.status, 'succeeded', JSON.stringify(ran.result))
    const { places: seen, there, pids, spaces: own } = ran.output as Found
    assert.deepEqual({ seen, there }, { seen: [], there: [] })
    assert.ok(pids.length <= 6, `it sees ${pids.length} processes`)
    found.push({ places: seen, there, pids, spaces: own })
  }
  for (const [name, space] of Object.entries(found[0]!.spaces))
    assert.notEqual(space, found[1]!.spaces[name], `both share one ${name}`)

  const processes = processesOf(users)
  await held.end()
  await one.kill()
  assert.deepEqual(await processesIn(its), [])
  if (world.as === 'root') await nothingBelongsTo(users, processes, world)
  await ownSessions(world)
}

const holds = (file: string, word: string): boolean => existsSync(file) && readFileSync(file, 'utf8').includes(word)

/** Of the processes that have the folder in view. */
function usersSeeing(folder: string): number[] {
  const users = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && quietly(`/proc/${pid}/mountinfo`).includes(folder))
    .map((pid) => Number(/^Uid:\t(\d+)/m.exec(quietly(`/proc/${pid}/status`))?.[1]))
  return [...new Set(users)].filter((uid) => Number.isInteger(uid))
}

function quietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // It is gone, or somebody else's.
  }
}

/** Those that are dead and only wait to be counted run nothing any more. */
const processesOf = (users: readonly number[]): string[] =>
  readdirSync('/proc').filter((pid) => {
    const status = quietly(`/proc/${pid}/status`)
    return !/^State:\t[ZX]/m.test(status) && users.includes(Number(/^Uid:\t(\d+)/m.exec(status)?.[1]))
  })

/** Whoever gets the number next finds nothing of who had it before. Another server may have given it to somebody already. */
async function nothingBelongsTo(
  users: readonly number[],
  before: readonly string[],
  { places }: AbuseWorld,
): Promise<void> {
  assert.ok(
    users.every((uid) => uid >= SANDBOX_UIDS.first && uid <= SANDBOX_UIDS.last),
    `it ran as ${users.join(', ')}`,
  )
  assert.ok(before.length > 0)
  // One that was killed runs nothing any more, but takes a moment to be gone.
  const left = (): string[] => processesOf(users).filter((pid) => before.includes(pid))
  for (let tries = 0; left().length > 0 && tries < 100; tries++) await pause(20)
  assert.deepEqual(left(), [])
  for (const folder of [places.root, places.bundles, places.staging, '/tmp', '/var/tmp', '/dev/shm', '/run/lock']) {
    const entries = existsSync(folder) ? readdirSync(folder) : []
    const files = entries.filter((name) =>
      users.includes(lstatSync(join(folder, name), { throwIfNoEntry: false })?.uid ?? -1),
    )
    assert.deepEqual(files, [], `in ${folder}`)
  }
}
