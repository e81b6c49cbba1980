import assert from 'node:assert/strict'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pack } from 'tar-stream'
import { openDiskBlobs } from '../../src/backends/disk/disk-blobs.ts'
import { openBundleCache } from '../../src/runtime/bundles.ts'
import type { AbuseCase, AbuseWorld, AttackRun } from '../case.ts'

const LATE_IN_PYTHON = `
import builtins, json, os, sys, threading, time
def late(what):
    while True:
        try: os.write(1, f"late {what}\\n".encode())
        except OSError: pass
        time.sleep(0.005)
def handler(input):
    if input.get("look"):
        time.sleep(0.3)
        return {"kept": hasattr(builtins, "kept"), "json": json.dumps(1), "threads": threading.active_count(),
                "others": [p for p in os.listdir("/proc") if p.isdigit() and int(p) > 2 and int(p) != os.getpid()], "tmp": os.listdir("/tmp")}
    builtins.kept = 1
    json.dumps = lambda value, **options: "patched"
    open("/tmp/kept", "w").close()
    for daemon in (True, False): threading.Thread(target=late, args=("thread",), daemon=daemon).start()
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            late("daemon")
    return 1
`
const LATE_IN_NODE = `
import { spawn } from 'node:child_process'
import { writeFileSync, writeSync } from 'node:fs'
export function execute({ look }) {
  if (look) return { kept: globalThis.kept ?? null, json: JSON.stringify(1) }
  globalThis.kept = 1
  JSON.stringify = () => '"patched"'
  writeFileSync('/tmp/kept', '')
  setInterval(() => writeSync(1, 'late timer\\n'), 5)
  spawn('/bin/sh', ['-c', 'while :; do echo late child; sleep 0.01; done'], { stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  return 1
}`

/** The same skill of another deployment, which has a bundle and so a session of its own. */
async function anotherIsClean(world: AbuseWorld, { session }: AttackRun): Promise<void> {
  const other = await world.node(LATE_IN_NODE)
  const { output, logs } = await world.invoke(other, { look: true })
  assert.deepEqual({ output, logs }, { output: { kept: null, json: '1' }, logs: [] })
  // In its own deployment a Node process goes on with what it has; what writes between two runs ends it.
  for (let i = 0; i < 200 && session.usable; i++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(session.usable, false, 'what was left writes and the session would serve again')
}

const PLANT_IN_PYTHON = `
import os
def handler(input):
    if input.get("look"):
        return {folder: sorted(os.listdir(folder)) for folder in ("/tmp", "/dev/shm")} | {"skill": sorted(os.listdir("/skill")), "main": len(open("/skill/main.py").read())}
    for folder in ("/tmp", "/dev/shm"):
        for name, target in (("skill", "/skill"), ("root", "/"), ("proc", "/proc/self/root/skill"), ("loop", "loop"), ("up", "../skill/main.py"), ("none", "/nowhere")):
            os.symlink(target, f"{folder}/{name}")
        os.makedirs(f"{folder}/deep/a/b")
        os.symlink("/skill", f"{folder}/deep/a/b/c")
        os.link(f"{folder}/deep/a/b/c", f"{folder}/hard", follow_symlinks=False)
        os.mkfifo(f"{folder}/pipe")
        os.makedirs(f"{folder}/locked/inner")
        open(f"{folder}/locked/inner/file", "w").close()
        os.chmod(f"{folder}/locked/inner", 0)
        os.chmod(f"{folder}/locked", 0)
        open(f"{folder}/" + "x" * 255, "w").close()
        open(os.fsencode(f"{folder}/") + b"\\xff\\n\\x1b[2J", "w").close()
    return {"main": len(open("/skill/main.py").read())}
`
/** So deep that a path to the bottom is longer than paths may be. */
const DEEP_IN_PYTHON = `
import os
def handler(input):
    if input.get("look"): return os.listdir("/tmp")
    os.chdir("/tmp")
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
    return 1
`
const PLANT_IN_NODE = `
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
export function execute({ look }) {
  if (look) return { '/tmp': readdirSync('/tmp'), '/dev/shm': readdirSync('/dev/shm'), skill: readdirSync('/skill'), main: readFileSync('/skill/index.mjs', 'utf8').length }
  for (const folder of ['/tmp', '/dev/shm']) {
    for (const [name, target] of [['skill', '/skill'], ['root', '/'], ['loop', 'loop'], ['none', '/nowhere']]) symlinkSync(target, folder + '/' + name)
    mkdirSync(folder + '/deep/a/b', { recursive: true })
    symlinkSync('/skill', folder + '/deep/a/b/c')
    writeFileSync(folder + '/' + 'x'.repeat(255), '')
  }
  return { main: readFileSync('/skill/index.mjs', 'utf8').length }
}`

const wiped =
  (file: string) =>
  async (ran: AttackRun, world: AbuseWorld): Promise<void> => {
    const { output } = await world.again(ran.session, { look: true })
    const { main } = ran.output as { main: number }
    assert.deepEqual(output, { '/tmp': [], '/dev/shm': [], skill: [file], main })
  }

/** What one run leaves for the next, or for those who tidy up after it. */
export const BETWEEN_RUNS: readonly AbuseCase[] = [
  {
    number: 47,
    title: 'timers, threads, daemons and patched globals that outlive a run',
    python: {
      code: LATE_IN_PYTHON,
      outcome: 'succeeded',
      async held({ session }, world) {
        const { output, logs } = await world.again(session, { look: true })
        assert.deepEqual(output, { kept: false, json: '1', threads: 1, others: [], tmp: [] })
        assert.deepEqual(logs, [])
      },
    },
    node: { code: LATE_IN_NODE, outcome: 'succeeded', held: (ran, world) => anotherIsClean(world, ran) },
  },
  {
    number: 50,
    title: 'links planted for those who tidy up or collect what was made',
    python: [
      { code: PLANT_IN_PYTHON, outcome: 'succeeded', held: wiped('main.py') },
      {
        code: DEEP_IN_PYTHON,
        outcome: 'succeeded',
        // Emptied, or given up: nothing of it is in another run.
        async held({ session }, world) {
          if (await session.idle()) assert.deepEqual((await world.invoke(session, { look: true })).output, [])
        },
      },
    ],
    node: { code: PLANT_IN_NODE, outcome: 'succeeded', held: wiped('index.mjs') },
    world: hostileBundles,
  },
]

type Entry = Parameters<ReturnType<typeof pack>['entry']>[0]

/** What a build was made to hand out, through the reader that unpacks bundles for sessions. */
async function hostileBundles(world: AbuseWorld): Promise<void> {
  const home = await world.folder()
  const outside = join(home, 'outside')
  for (const folder of ['outside', 'bundles']) await mkdir(join(home, folder))
  await writeFile(join(outside, 'kept'), 'as it was')
  const blobs = await openDiskBlobs({
    folder: join(home, 'blobs'),
    secretFile: join(home, 'upload.key'),
    baseUrl: () => 'http://127.0.0.1:1',
  })
  world.after(() => blobs.close())
  const cache = await openBundleCache({
    folder: join(home, 'bundles'),
    blobs,
    onError(error) {
      throw error
    },
  })
  world.after(() => cache.close())
  const through: Entry = { name: 'a/planted' }
  const attempts: Record<string, Entry[]> = {
    'a link and a file through it': [{ name: 'a', type: 'symlink', linkname: outside }, through],
    'a hard link': [{ name: 'a', type: 'link', linkname: join(outside, 'kept') }],
    'a device': [{ name: 'null', type: 'character-device', devmajor: 1, devminor: 3 }],
    'a disk': [{ name: 'disk', type: 'block-device', devmajor: 254, devminor: 0 }],
    'a pipe': [{ name: 'pipe', type: 'fifo' }],
    'one up': [{ name: '../outside/planted' }],
    'up on the way': [{ name: 'a/../../outside/planted' }],
    'an absolute path': [{ name: join(outside, 'planted') }],
    'a file twice': [{ name: 'a' }, { name: './a' }],
    'a file and a folder': [{ name: 'a' }, through],
  }
  for (const [what, entries] of Object.entries(attempts)) {
    const tar = pack()
    for (const entry of entries) tar.entry({ ...entry }, entry.type === undefined ? 'evil' : '')
    tar.finalize()
    const { sha256 } = await blobs.put(tar as AsyncIterable<Uint8Array>, { maxBytes: 2 ** 20 })
    await assert.rejects(cache.ensure(sha256), what)
  }
  assert.deepEqual(await readdir(outside), ['kept'])
  assert.equal(await readFile(join(outside, 'kept'), 'utf8'), 'as it was')
  assert.deepEqual(await readdir(join(home, 'bundles')), [], 'something of a bundle that was refused is left')
}
