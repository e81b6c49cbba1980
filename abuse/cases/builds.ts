import assert from 'node:assert/strict'
import { access, readFile, readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { listen } from '../../src/net/fixtures/listen.ts'
import { type TestBuilds, openTestBuilds } from '../../src/packages/build/test-builds.ts'
import type { Driver, ToolResult } from '../../src/runtime/driver.ts'
import { SYSCALLS } from '../attacks.ts'
import type { AbuseCase, AbuseWorld } from '../case.ts'

/** Code that is run because a package is built, with real builds. What a package index sends is attacked in hostile-build.test.ts. */
export const BUILDS: readonly AbuseCase[] = [
  {
    number: 58,
    title: 'setup.py, build backends, postinstall, and a build taken over',
    load: 'heavy',
    world: hostileBuilds,
  },
]

const MARKER = 'of another tenant 7f3a91'
const HANDLER = 'def handler(input): pass\n'

async function hostileBuilds(world: AbuseWorld): Promise<void> {
  const builds = await openTestBuilds()
  world.after(() => builds.close())
  await unasked(builds)
  await takenOver(world, builds)
  await endless(builds)
}

/** Files that tools of other kinds run by themselves. */
async function unasked(builds: TestBuilds): Promise<void> {
  const evil = 'import os; open("/scratch/out/evil", "w").close(); open("/package/evil", "w").close()\n'
  const python = await builds.build('python', {
    'main.py': `import json, os\n${HANDLER}`,
    'setup.py': evil,
    'setup.cfg': '[options]\nsetup_requires = evil\n',
    'pyproject.toml': '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    'backend.py': evil,
    'sitecustomize.py': evil,
    'conftest.py': evil,
    'json.py': evil,
    'os.py': evil,
  })
  const script = 'touch /scratch/out/evil; touch /package/evil'
  const node = await builds.build('typescript', {
    'index.ts': 'export async function execute() { return 1 }',
    'package.json': JSON.stringify({
      scripts: Object.fromEntries(
        ['preinstall', 'install', 'postinstall', 'prepare', 'prepack', 'build'].map((name) => [name, script]),
      ),
      imports: { '#evil': './evil.cjs' },
    }),
    '.npmrc': 'ignore-scripts=false\nscript-shell=/package/evil.sh\nregistry=http://169.254.169.254/\n',
    'binding.gyp': '{"targets":[{"target_name":"evil","actions":[{"action":["touch","/scratch/out/evil"]}]}]}',
    'evil.sh': script,
    'evil.cjs': 'require("fs").writeFileSync("/scratch/out/evil", "")',
  })
  for (const { findings, bundle_blob } of [python, node]) {
    assert.deepEqual(
      findings.filter(({ severity }) => severity === 'deny'),
      [],
    )
    const names = await readdir(await builds.extract(bundle_blob!), { recursive: true })
    assert.ok(!names.includes('evil'), 'something of the package was run')
  }
  // What serves the runs imports these beforehand: never what the package itself has under that name.
  const folder = await builds.extract(python.bundle_blob!)
  assert.deepEqual(JSON.parse(await readFile(join(folder, '.skillet/preimport.json'), 'utf8')), [])
}

const LOOKING = `${SYSCALLS}
import json, socket
def reach(host, port):
    try: socket.create_connection((host, port), 3).close(); return "ok"
    except socket.gaierror: return "ENOTFOUND"
    except TimeoutError: return "ETIMEDOUT"
    except OSError as error: return errno.errorcode.get(error.errno, str(error))
def found(marker):
    places = []
    for root in ("/package", "/scratch", "/opt", "/run", "/etc", "/home", "/root", "/var", "/tmp", "/dev/shm", "/proc/1/root", "/work", "/srv"):
        for folder, _, names in os.walk(root):
            for name in names:
                try:
                    with open(os.path.join(folder, name), "rb") as file:
                        if marker in file.read(2**20): places.append(os.path.join(folder, name))
                except OSError: pass
    return places

print("EVIDENCE " + json.dumps({
    "found": found(MARKER), "env": sorted(os.environ), "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:-1],
    "root": {path: attempt(lambda: open(path + "/evil", "w")) for path in ("/", "/package", "/opt", "/opt/build", "/usr", "/etc", "/proc/sys/kernel")},
    "net": {f"{host} {port}": reach(host, port) for host, port in TARGETS},
    "calls": {"mount": call((165, 40), b"none", b"/tmp", b"tmpfs", 0, None), "unshare": call((272, 97), 0x10000000), "ptrace": call((101, 117), 16, 1, 0, 0)},
}), flush=True)
`

/** As bad as it gets: what is built has made itself the build program, with all that this one has. */
async function takenOver(world: AbuseWorld, builds: TestBuilds): Promise<void> {
  const other = await builds.unpack({ 'main.py': MARKER })
  await access(join(other.dir, 'main.py'))
  const server = await listen(createServer((socket) => socket.end('should not be reached')))
  world.after(() => server[Symbol.asyncDispose]())
  const targets = [
    ['127.0.0.1', server.port],
    ['169.254.169.254', 80],
    ['10.0.0.1', 443],
    ['example.com', 443],
    ['localhost', 22],
  ]
  const program = LOOKING.replace('MARKER', `b"${MARKER}"`).replace('TARGETS', JSON.stringify(targets))
  const { result } = await buildAs(builds, program)
  const evidence = /^EVIDENCE (.*)$/m.exec(result.stdout)
  assert.ok(evidence !== null, result.stderr)
  const seen = JSON.parse(evidence[1]!) as Record<'root' | 'net' | 'calls', Record<string, string>> &
    Record<'found' | 'env' | 'fds', unknown>
  assert.deepEqual(seen.found, [])
  assert.deepEqual(seen.env, ['HOME', 'LANG', 'PATH', 'PWD', 'TMPDIR'])
  assert.deepEqual(seen.fds, [0, 1, 2, 3])
  for (const [what, how] of [seen.root, seen.net, seen.calls].flatMap(Object.entries<string>)) {
    assert.match(how, /^(EROFS|EACCES|EPERM|ENOENT|ECONNREFUSED|ENETUNREACH|ENOTFOUND|EHOSTUNREACH)$/, what)
  }
  assert.equal(server.connections(), 0)

  // It may say that all is well, and hand out what is no bundle: the reader of bundles is attacked by case 50.
  const lies = await buildAs(
    builds,
    `import json; print(json.dumps({"end": True})); open(3, "wb", closefd=False).write(b"no tar" * 1000)`,
  )
  assert.equal(lies.built.locks['package-lock.json'], undefined)
  const silent = await buildAs(builds, 'print("{")')
  assert.deepEqual([silent.rules, silent.built.bundle_blob], [['build.failed'], null])
  const tooLarge = await buildAs(builds, 'import os\nwhile True: os.write(3, bytes(2**20))', { bundleBytes: 2 ** 22 })
  assert.deepEqual([tooLarge.rules, tooLarge.built.bundle_blob], [['build.too_large'], null])
}

/** What never ends by itself, and takes what it can get. */
async function endless(builds: TestBuilds): Promise<void> {
  const daemons =
    'import os, signal, time\nfor _ in range(300):\n  try:\n    if os.fork() == 0: os.setsid(); signal.signal(15, signal.SIG_IGN); time.sleep(1000)\n  except OSError: pass\ntime.sleep(1000)'
  assert.deepEqual((await buildAs(builds, daemons, { timeoutMs: 2000 })).rules, ['build.timeout'])
  const memory = 'kept = []\nwhile True: kept.append(bytearray(2**24))'
  assert.deepEqual((await buildAs(builds, memory, { memoryMb: 64 })).rules, ['build.memory'])
  const disk =
    'import os\ntry:\n  with open("/scratch/full", "wb") as file:\n    while True: file.write(bytes(2**20))\nexcept OSError as error: print("EVIDENCE", error.errno, flush=True)'
  assert.match((await buildAs(builds, disk)).result.stdout, /EVIDENCE 28/)
}

/** A build by the real builder, in its sandbox, with another program in the place of its own. */
async function buildAs(
  builds: TestBuilds,
  program: string,
  change: { bundleBytes?: number; timeoutMs?: number; memoryMb?: number } = {},
): Promise<{ built: Awaited<ReturnType<TestBuilds['build']>>; rules: string[]; result: ToolResult }> {
  let result: ToolResult | null = null
  const tool: Driver['tool'] = async (spec, signal) => {
    result = await builds.driver.tool({ ...spec, argv: ['/usr/bin/python3', '-I', '-c', program] }, signal)
    return result
  }
  const built = await builds.build('python', { 'main.py': HANDLER }, { tool, ...change })
  return { built, rules: built.findings.map(({ rule }) => rule), result: result! }
}
