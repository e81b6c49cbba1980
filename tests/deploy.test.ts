import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseAllDocuments, parseDocument } from 'yaml'
import { serveCommand } from '../src/cli/commands/serve.ts'
import { EXIT } from '../src/cli/exit-codes.ts'
import { processIo } from '../src/cli/io.ts'
import { sandboxFailure } from '../src/runtime/bwrap/failures.ts'
import { readProfile } from './support/seccomp-profile.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string): string => readFileSync(`${ROOT}/${file}`, 'utf8')
const FILES = globSync('deploy/**/*', { cwd: ROOT, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(ROOT.length).replace(/^\//, ''))
const compose = (file: string) =>
  (parseDocument(read(`deploy/container/${file}`), { logLevel: 'silent' }).toJS() as Compose).services.skillet

/** What a server as root needs: the unit's drop-in, the compose file and the server itself say the same. */
const CAPABILITIES = ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETGID', 'CAP_SETUID']

interface Compose {
  readonly services: {
    readonly skillet: {
      readonly command: string[]
      readonly cap_add?: string[]
      readonly cap_drop?: string[]
      readonly security_opt: string[]
      readonly [key: string]: unknown
    }
  }
}

test('every recipe is told of, shipped, and names only files that there are', () => {
  expect(FILES.length).toBeGreaterThan(7)
  const page = read('docs/deployment.md')
  const named = [page, ...FILES.map(read)].flatMap((text) => [
    ...text.matchAll(/(?<![\w/.-])((?:deploy|docs|src|tests|scripts)\/[\w./-]*\w)/g),
  ])
  expect(named.map(([, path]) => path!).filter((path) => !existsSync(`${ROOT}/${path}`))).toEqual([])
  const recipes = FILES.filter((file) => !file.endsWith('README.md'))
  expect(recipes.filter((file) => !page.includes(file) && !page.includes(file.split('/').at(-1)!))).toEqual([])
  expect((JSON.parse(read('package.json')) as { files: string[] }).files).toContain('deploy')
})

test('every option and every variable that a recipe gives a server is one of its own', () => {
  const { options } = serveCommand({ io: processIo(new AbortController().signal), exitCode: EXIT.ok })
  const known = new Set(options.map(({ long }) => long))
  const pod = parseAllDocuments(read('deploy/kubernetes/skillet.yaml'))[0]!.toJS() as {
    spec: { template: { spec: { containers: { args: string[] }[] } } }
  }
  const lines = [
    ...['compose.yaml', 'compose.hard-limits.yaml'].map((file) => compose(file).command),
    pod.spec.template.spec.containers[0]!.args,
    /^ExecStart=\S+ (.*)$/m.exec(read('deploy/systemd/skillet.service'))![1]!.split(' '),
    JSON.parse(/^CMD (\[.*\])$/m.exec(read('deploy/container/Containerfile'))![1]!) as string[],
  ]
  for (const line of lines) {
    expect(line[0]).toBe('serve')
    expect(line.filter((word) => word.startsWith('--') && !known.has(word))).toEqual([])
  }
  const sources = globSync('src/**/*.ts', { cwd: ROOT }).map(read).join('\n')
  const variables = new Set(FILES.flatMap((file) => read(file).match(/\bSKILLET_[A-Z_]+/g) ?? []))
  expect([...variables].filter((name) => !sources.includes(`'${name}'`))).toEqual([])
})

test('a server is given the few privileges that it needs, and no others', () => {
  const unit = unitOf('deploy/systemd/skillet.service')
  expect(unit.get('CapabilityBoundingSet')).toEqual([''])
  expect(unit.get('NoNewPrivileges')).toEqual(['yes'])
  expect(unit.get('Delegate')).toEqual(['cpu memory pids'])
  const root = unitOf('deploy/systemd/root.conf').get('CapabilityBoundingSet')!
  expect(root[0]).toBe('')
  expect(root[1]!.split(' ').toSorted()).toEqual(CAPABILITIES)

  const plain = compose('compose.yaml')
  expect(plain.cap_drop).toEqual(['ALL'])
  expect(plain.cap_add).toBeUndefined()
  expect(plain.security_opt).toContain('no-new-privileges:true')
  const hard = compose('compose.hard-limits.yaml')
  expect(hard.cap_add!.map((name) => `CAP_${name}`).toSorted()).toEqual(CAPABILITIES)
  for (const service of [plain, hard]) expect(service).not.toHaveProperty('privileged')

  const text = read('deploy/kubernetes/skillet.yaml')
  for (const line of ['hostUsers: false', 'runAsNonRoot: true', 'allowPrivilegeEscalation: false', 'drop: [ALL]']) {
    expect(text).toContain(line)
  }
})

test('the unit keeps from the server nothing that sandboxes are made of', () => {
  const unit = unitOf('deploy/systemd/skillet.service')
  // Each of them was tried, or is known, to keep bubblewrap from making a sandbox.
  for (const name of [
    'ProtectKernelTunables',
    'ProtectKernelLogs',
    'ProtectProc',
    'ProcSubset',
    'ProtectHostname',
    'ProtectControlGroups',
    'MemoryDenyWriteExecute',
    'PrivateNetwork',
  ]) {
    expect(unit.has(name), name).toBe(false)
  }
  const source = read('src/runtime/bwrap/argv.ts')
  const spaces = /\[('user'[^\]]*)\]\.map/.exec(source)![1]!.match(/\w+/g)!
  expect(unit.get('RestrictNamespaces')![0]!.split(' ').toSorted()).toEqual([...spaces, 'mnt'].toSorted())
  expect(unit.get('RestrictAddressFamilies')![0]).toContain('AF_NETLINK')
  expect(unit.get('SystemCallFilter')).toContain('mount umount2 pivot_root sethostname')
})

test('the seccomp profile allows what a sandbox may call, six calls that make one, and nothing else', () => {
  const profile = readProfile(`${ROOT}/deploy/container/seccomp.json`)
  expect(profile.defaultAction).toBe('SCMP_ACT_ERRNO')
  const [shared, added, ...conditional] = profile.syscalls
  expect(added!.names).toEqual(['clone', 'mount', 'pivot_root', 'sethostname', 'umount2', 'unshare'])
  // The table names each number in a comment.
  const table = read('src/runtime/bwrap/seccomp-tables.ts')
  const refused = new Set([...table.matchAll(/^\s+\d+, \/\/ (\w+)/gm)].map(([, name]) => name!))
  expect(refused.size).toBeGreaterThan(70)
  expect(shared!.names.filter((name) => refused.has(name))).toEqual([])
  const rest = conditional.map(({ names, args }) => `${names.join()} ${args!.map(({ value }) => value).join()}`)
  // AF_UNIX, AF_INET, AF_INET6, AF_NETLINK; AF_UNIX; Linux as it is, and the question what it is.
  const wanted = 'socket 1, socket 2, socket 10, socket 16, socketpair 1, personality 0, personality 4294967295'
  expect(rest.join(', ')).toBe(wanted)
})

test.each([
  ['bwrap: No permissions to create new namespace, likely because …', 'deploy/container/seccomp.json'],
  ['bwrap: No permissions to create new namespace, likely because …', 'deploy/apparmor/bwrap'],
  ['bwrap: Creating new namespace failed: Function not implemented', 'deploy/container/seccomp.json'],
  ['bwrap: Creating new namespace failed: nesting depth or … exceeded (ENOSPC)', 'user.max_user_namespaces'],
  ["bwrap: Can't mount proc on /newroot/proc: Operation not permitted", 'systempaths=unconfined'],
  ['bwrap: setting up uid map: Operation not permitted', 'deploy/systemd/root.conf'],
  ['bwrap: Failed to make / slave: Operation not permitted', 'deploy/systemd/skillet.service'],
  ["bwrap: Can't set hostname to skillet: Operation not permitted", 'ProtectHostname'],
  ['bwrap: pivot_root: Operation not permitted', 'deploy/container/seccomp.json'],
  ['bwrap: loopback: Failed to create NETLINK_ROUTE socket: Address family not supported', 'AF_NETLINK'],
])('what bubblewrap says, "%s", is told with %s', (said, fix) => {
  expect(sandboxFailure(said, 'The sandbox could not be made').fix).toContain(fix)
})

/** Each setting's values in their order; an empty one resets. */
function unitOf(file: string): Map<string, string[]> {
  const settings = new Map<string, string[]>()
  for (const line of read(file).split('\n')) {
    if (line === '' || line.startsWith('#') || /^\[\w+\]$/.test(line)) continue
    const [, name, value] = /^([A-Z]\w+)=(.*)$/.exec(line) ?? []
    expect(name, `${file}: ${line}`).toBeDefined()
    settings.set(name!, [...(settings.get(name!) ?? []), value!])
  }
  return settings
}
