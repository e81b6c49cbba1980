import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { AbuseCase, Attack, AttackRun, AbuseWorld } from '../case.ts'
import { hold } from '../hold.ts'

/** What would load code, or change how it is run, were it heeded. */
const VARIABLES = {
  NODE_OPTIONS: '--inspect=0.0.0.0:9229 --require=/skill/evil.cjs',
  NODE_PATH: '/skill/evil',
  NODE_EXTRA_CA_CERTS: '/skill/evil.pem',
  NODE_REPL_EXTERNAL_MODULE: '/skill/evil.cjs',
  LD_PRELOAD: '/skill/evil.so',
  LD_LIBRARY_PATH: '/skill',
  LD_AUDIT: '/skill/evil.so',
  ld_preload: '/skill/evil.so',
  PYTHONPATH: '/skill/evil',
  PYTHONSTARTUP: '/skill/evil.py',
  PYTHONHOME: '/skill',
  PYTHONINSPECT: '1',
  BASH_ENV: '/skill/evil.sh',
  ENV: '/skill/evil.sh',
  OPENSSL_CONF: '/skill/evil.cnf',
  SKILLET_DATA: '/',
  AWS_ACCESS_KEY_ID: 'forged',
}
const call = { env: { ...VARIABLES, HARMLESS: '1' }, secrets: VARIABLES }

const MARK = 'evil was loaded'
const PYTHON_MARK = `import os; os.write(1, b"${MARK}\\n"); open("/tmp/evil", "w").close()\n`
const NODE_MARK = `require("node:fs").writeSync(1, "${MARK}\\n")\n`
/** Files that something reads by itself, and modules with the names of those that the host in the sandbox needs. */
const PYTHON_FILES = Object.fromEntries(
  (
    'sitecustomize.py usercustomize.py evil.pth __init__.py __main__.py conftest.py json.py os.py io.py gc.py mmap.py ctypes.py ' +
    'traceback.py encodings/__init__.py encodings/utf_8.py .skillet/site-packages/sitecustomize.py .skillet/site-packages/evil.pth ' +
    '.skillet/site-packages/json/__init__.py'
  )
    .split(' ')
    .map((path) => [path, PYTHON_MARK]),
)
const PYTHON = `
def handler(input):
    import sys
    posix = sys.modules["posix"]
    found = [name for name in posix.environ] if "os" not in sys.modules else list(sys.modules["os"].environ)
    return {"env": sorted(str(name, "utf-8") if isinstance(name, bytes) else name for name in found), "flags": [sys.flags.isolated, sys.flags.no_site, sys.flags.inspect],
            "marks": [name for name in posix.listdir("/tmp")], "maps": [line.split()[-1] for line in open("/proc/self/maps") if " /skill/" in line or "evil" in line]}
`

const NODE_FILES = {
  '.npmrc': 'node-options=--inspect\nscript-shell=/skill/evil.sh\nignore-scripts=false\n',
  'package.json': JSON.stringify({
    type: 'commonjs',
    main: 'evil.cjs',
    imports: { '#node:fs': './evil.cjs', 'node:fs': './evil.cjs' },
    exports: './evil.cjs',
    config: { 'node-options': '--require ./evil.cjs' },
    nodeOptions: '--require ./evil.cjs',
    scripts: { preinstall: 'sh evil.sh', install: 'sh evil.sh', start: 'node --inspect' },
    node: { flags: ['--experimental-vm-modules', '--inspect'] },
  }),
  'node.config.json': JSON.stringify({
    nodeOptions: { inspect: true, require: ['./evil.cjs'], import: ['./evil.cjs'] },
  }),
  '.env': 'NODE_OPTIONS=--inspect\nMARK=1\n',
  '.noderc': '--inspect',
  'evil.cjs': NODE_MARK,
  'evil.sh': `echo ${MARK}\n`,
  'node_modules/node:fs/index.js': NODE_MARK,
  'node_modules/fs/index.js': NODE_MARK,
  'node_modules/net/index.js': NODE_MARK,
}
const NODE = `
import { readFileSync, readdirSync } from 'node:fs'
export function execute() {
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => / \\/skill\\/|evil/.test(line))
  const flags = process.execArgv.filter((flag) => !flag.startsWith('--max-old-space-size='))
  return { env: Object.keys(process.env).toSorted(), flags, marks: readdirSync('/tmp'), maps, listening: readFileSync('/proc/net/tcp', 'utf8').split('\\n').length - 2 }
}`

function unmarked({ logs, output }: AttackRun): void {
  const { env, marks, maps } = output as Record<string, string[]>
  assert.deepEqual({ env, marks, maps }, { env: ['HARMLESS'], marks: [], maps: [] })
  assert.deepEqual(logs, [])
}

/** Twice: a session that has served is another than one that is new. */
const twice =
  (look: (ran: AttackRun) => void) =>
  async (ran: AttackRun, world: AbuseWorld): Promise<void> => {
    look(ran)
    look(await world.again(ran.session, {}, call))
  }

const INSPECTED = `
import { readFileSync } from 'node:fs'
export async function execute() {
  process.kill(process.pid, 'SIGUSR1')
  await new Promise((resolve) => setTimeout(resolve, 300))
  const listening = ['tcp', 'tcp6'].flatMap((kind) => readFileSync('/proc/net/' + kind, 'utf8').trim().split('\\n').slice(1))
  return { listening, argv: process.execArgv.filter((flag) => flag.includes('inspect') || flag.includes('experimental')) }
}`

/** How the code of others gets in before the skill's, or instead of it. */
export const LOADING: readonly AbuseCase[] = [
  {
    number: 53,
    title: 'NODE_OPTIONS, LD_PRELOAD, PYTHONPATH, sitecustomize, .npmrc, node.config.json',
    // Also in a sandbox that was made ahead of need, which has imported more by itself.
    python: [{}, { ahead: true }].map((spec) => ({
      code: PYTHON,
      files: PYTHON_FILES,
      spec,
      call,
      outcome: 'succeeded',
      held: twice((ran) => {
        unmarked(ran)
        assert.deepEqual((ran.output as { flags: unknown }).flags, [1, 1, 0])
      }),
    })),
    node: {
      code: NODE,
      files: NODE_FILES,
      call,
      outcome: 'succeeded',
      held: twice((ran) => {
        unmarked(ran)
        const { flags, listening } = ran.output as { flags: string[]; listening: number }
        assert.deepEqual({ flags, listening }, { flags: ['--disable-sigusr1'], listening: 0 })
      }),
    },
  },
  {
    number: 54,
    title: 'the inspector: by SIGUSR1, by package.json, by itself',
    node: [
      {
        code: INSPECTED,
        files: NODE_FILES,
        // Ignored, or the end of the process; never a door.
        outcome: /^(succeeded|failed\/runtime_error)$/,
        held({ result, output }) {
          if (result.status === 'succeeded') assert.deepEqual(output, { listening: [], argv: [] })
        },
      } satisfies Attack,
    ],
    world: ownInspector,
  },
]

/** Who opens one itself has it in a network that nobody else is in. */
async function ownInspector(world: AbuseWorld): Promise<void> {
  const session = await world.node(`
import { spawn } from 'node:child_process'
import inspector from 'node:inspector'
export async function execute({ port }) {
  inspector.open(port, '0.0.0.0')
  spawn(process.execPath, ['--inspect=0.0.0.0:' + (port + 1), '-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  console.log(inspector.url())
  await new Promise((resolve) => setTimeout(resolve, 100_000))
}`)
  const port = 42_000 + Math.floor(Math.random() * 10_000)
  const held = await hold(session, { port })
  assert.match(held.said, /Debugger listening|ws:\/\//)
  for (const at of [port, port + 1]) {
    const socket = connect(at, '127.0.0.1')
    const how = await Promise.race([
      once(socket, 'connect').then(() => 'connected'),
      once(socket, 'error').then(
        () => 'connected',
        (error: unknown) => (error as NodeJS.ErrnoException).code,
      ),
    ]).catch((error: unknown) => (error as NodeJS.ErrnoException).code)
    socket.destroy()
    assert.equal(how, 'ECONNREFUSED')
  }
  await held.end()
}
