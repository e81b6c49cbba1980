// Makes a fresh clone ready: npm packages, Node 24, bubblewrap, python3, uv. Runs on Node 20; does nothing when nothing is to do.
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import {
  NODE,
  PYTHON,
  ROOT,
  SetupError,
  UV,
  ask,
  dim,
  green,
  manifest,
  red,
  run,
  say,
  systemEnv,
  which,
} from './lib.mjs'

const REQUIREMENTS = join(ROOT, 'scripts', 'uv-requirements.txt')
/** Inside node_modules, so that whoever removes that folder removes the stamp. */
const STAMP = join(ROOT, 'node_modules', '.skillet-setup')
const MIN_NODE = [20, 19]

const WHAT_IT_IS_FOR = {
  bubblewrap: 'it isolates skills',
  python3: 'Python skills run on it',
  'python3-pip': 'it fetches uv',
  runsc: 'the tests of the gVisor driver run on it',
}

/** @throws SetupError naming what is missing and the command that brings it. */
export async function setup() {
  checkHostNode()
  const wanted = fingerprint()
  if (isDone(wanted)) return
  await packages()
  await node24()
  await systemPackage('bubblewrap', () => which('bwrap') !== null)
  await systemPackage('python3', () => existsSync(PYTHON))
  checkPython()
  await uv()
  writeFileSync(STAMP, wanted)
  say(green('Set-up is complete.'))
}

/** Everything that decides what set-up would do. */
function fingerprint() {
  const hash = createHash('sha256')
  for (const file of ['package-lock.json', 'scripts/uv-requirements.txt', 'scripts/setup.mjs']) {
    hash.update(readFileSync(join(ROOT, file)))
  }
  return hash.digest('hex')
}

function isDone(wanted) {
  if (![STAMP, NODE, UV, PYTHON].every((file) => existsSync(file)) || which('bwrap') === null) return false
  return readFileSync(STAMP, 'utf8') === wanted && installedIsLocked()
}

function checkHostNode() {
  if (process.platform !== 'linux') {
    throw new SetupError(
      `Skillet runs on Linux, this is ${process.platform}.`,
      'Use a Linux machine, virtual machine or container: docs/drivers.md.',
    )
  }
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return
  throw new SetupError(
    `Node ${process.versions.node} is too old to set Skillet up.`,
    'Install Node 20.19 or newer, then repeat.',
  )
}

/** Whether node_modules holds exactly what the lock file says; packages for other platforms may be absent. */
function installedIsLocked() {
  if (!existsSync(join(ROOT, 'node_modules', '.package-lock.json'))) return false
  const installed = lockedPackages('node_modules/.package-lock.json')
  const locked = Object.entries(lockedPackages('package-lock.json')).filter(([path]) => path !== '')
  return locked.every(([path, one]) => {
    const there = installed[path]
    return there === undefined
      ? one.optional === true
      : there.version === one.version && there.integrity === one.integrity
  })
}

const lockedPackages = (file) => JSON.parse(readFileSync(join(ROOT, file), 'utf8')).packages

async function packages() {
  if (installedIsLocked()) return
  await step('Installing npm packages', async () => {
    const { code, output } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      env: systemEnv(),
    })
    if (code === 0) return
    throw new SetupError(
      `npm ci ended with ${code}:\n${indent(output)}`,
      isNetwork(output)
        ? 'Check the network, and "npm config get registry" and "npm config get proxy", then repeat.'
        : 'Mend what npm names above, then repeat.',
    )
  })
}

const nodeVersion = () => (existsSync(NODE) ? ask(NODE, ['-v']) : null)

/** The npm package "node" fetches the binary in an install script, which npm may be told not to run. */
async function node24() {
  const wanted = `v${manifest.dependencies.node}`
  if (nodeVersion() === wanted) return
  await step(`Fetching Node ${wanted}`, async () => {
    const { output } = await run('npm', ['rebuild', 'node', '--foreground-scripts', '--ignore-scripts=false'], {
      env: systemEnv(),
    })
    const got = nodeVersion()
    if (got === wanted) return
    throw new SetupError(
      `node_modules/.bin/node is ${got ?? 'missing'}, wanted ${wanted}. The package "node" fetches it in its install script:\n${indent(output)}`,
      'Let npm run that script ("npm install-scripts approve node" where npm has that command, and no ignore-scripts=true in .npmrc), then: npm rebuild node',
    )
  })
}

/** @throws SetupError when it is not there and cannot be brought: by others than root, or without apt-get. */
export async function systemPackage(name, isPresent = () => which(name) !== null) {
  if (isPresent()) return
  const command = `apt-get update && apt-get install -y --no-install-recommends ${name}`
  const missing = `The package ${name} is not installed: ${WHAT_IT_IS_FOR[name]}.`
  if (which('apt-get') === null)
    throw new SetupError(missing, `Install ${name} with this system's package manager, then repeat.`)
  if (process.getuid() !== 0) throw new SetupError(missing, `Run: sudo sh -c '${command}'`)
  await step(`Installing ${name}`, async () => {
    const { code, output } = await run('sh', ['-c', command], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    if (code !== 0 || !isPresent()) {
      throw new SetupError(
        `apt-get ended with ${code}:\n${indent(output)}`,
        `Check the network and /etc/apt/sources.list*, then run: ${command}`,
      )
    }
  })
}

function checkPython() {
  const version = ask(PYTHON, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])
  const [major, minor] = (version ?? '0.0').split('.').map(Number)
  if (major === 3 && minor >= 9) return
  throw new SetupError(
    `${PYTHON} is ${version ?? 'not usable'}; Skillet needs 3.9 or newer.`,
    'Upgrade the system, then repeat.',
  )
}

const uvVersion = () => (existsSync(UV) ? (ask(UV, ['--version']) ?? '').split(' ')[1] : undefined)

async function uv() {
  const wanted = /^uv==(\S+)/m.exec(readFileSync(REQUIREMENTS, 'utf8'))[1]
  if (uvVersion() === wanted) return
  await systemPackage('python3-pip', () => ask(PYTHON, ['-m', 'pip', '--version']) !== null)
  await step(`Installing uv ${wanted} into .tools`, async () => {
    const target = join(ROOT, '.tools', 'uv')
    rmSync(target, { recursive: true, force: true })
    const pip = ['-m', 'pip', 'install', '--target', target, '--no-deps', '--only-binary', ':all:', '--require-hashes']
    const { code, output } = await run(PYTHON, [...pip, '--disable-pip-version-check', '-r', REQUIREMENTS])
    if (code === 0 && uvVersion() === wanted) return
    throw new SetupError(
      `pip could not install uv ${wanted} (it ended with ${code}):\n${indent(output)}`,
      isNetwork(output)
        ? 'Check the network, and "pip config list" for the index and the proxy, then repeat.'
        : 'Mend what pip names above, then repeat. Only Linux on x86_64 and aarch64 is supported.',
    )
  })
}

/** Says what is going on: with its time, and every ten seconds that it goes on still. */
async function step(what, work) {
  const began = Date.now()
  const seconds = () => `${((Date.now() - began) / 1000).toFixed(1)} s`
  say(`${what} ...`)
  const reminder = setInterval(() => say(dim(`  still at it, ${seconds()}`)), 10_000)
  try {
    await work()
  } finally {
    clearInterval(reminder)
  }
  say(dim(`  done in ${seconds()}`))
}

function isNetwork(output) {
  return /ENOTFOUND|ETIMEDOUT|ECONNRE|EAI_AGAIN|ENETUNREACH|timed out|Temporary failure|resolv|No matching distribution/i.test(
    output,
  )
}

const indent = (text) =>
  text
    .trim()
    .split('\n')
    .slice(-20)
    .map((line) => `    ${line}`)
    .join('\n')

/** Runs it for a script, or ends the process with what is wrong and how to mend it. */
export async function setupOrExit() {
  try {
    await setup()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(`${red('Set-up failed.')} ${error.message}\n${green('To mend it:')} ${error.fix}`)
    process.exit(1)
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await setupOrExit()
