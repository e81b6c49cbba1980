import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { createServer as createProxy } from 'node:http'
import { createServer } from 'node:https'
import { createServer as createTcp, connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { issueCertificate } from '../../net/fixtures/certificate.ts'
import { listen } from '../../net/fixtures/listen.ts'
import type { Driver } from '../../runtime/driver.ts'
import type { PackageIndexes } from '../../runtime/egress/package-indexes.ts'
import { type TestBuilds, openTestBuilds } from './test-builds.ts'

const NAME = 'index.example.test'
const open = new AsyncDisposableStack()
const proxied: string[] = []
let builds: TestBuilds
let indexes: PackageIndexes
let tool: Driver['tool']
let attacks: [attempt: unknown[], held: unknown][]

/** An index of the test's own, with a certificate of its own, behind the machine's proxy; and two servers that nobody may reach. */
beforeAll(async () => {
  const { key, cert, authority } = await issueCertificate(NAME)
  const files = new Map<string, Buffer>()
  const index = createServer({ key, cert }, (request, response) => {
    const [, kind, name] = request.url!.split('/')
    if (kind === 'files') {
      response.end(files.get(name!))
      return
    }
    response.setHeader('content-type', 'text/html')
    const own = [...files].filter(([file]) => file.startsWith(`${name}-`))
    response.end(own.map(([file, data]) => `<a href="/files/${file}#sha256=${sha256(data)}">${file}</a>`).join(''))
  })
  const { port } = open.use(await listen(index))
  const { port: other } = open.use(await listen(createTcp((socket) => socket.end('should not be reached'))))
  const proxy = createProxy().on('connect', (request, client) => {
    proxied.push(request.url!)
    const remote = connect(Number(request.url!.split(':')[1]), '127.0.0.1')
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    client.pipe(remote).pipe(client)
    for (const socket of [client, remote]) socket.on('error', () => socket.destroy())
  })
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${open.use(await listen(proxy)).port}`
  open.defer(() => void delete process.env['HTTPS_PROXY'])

  builds = open.adopt(await openTestBuilds(), (it) => it.close())
  attacks = [
    [['look up', 'evil.example.test'], /^gaierror/],
    [['look up', `data.${NAME}`], /^gaierror/],
    [['connect', NAME, other], /Connection refused/],
    [['connect', '127.0.0.1', other], /Connection refused/],
    [['connect', '127.0.0.1', port], /^$|Connection/],
    [['connect', '169.254.169.254', 80], /unreachable/],
    [['connect', '192.0.2.1', 443], /unreachable/],
    [['datagram', '192.0.2.1', 53], /unreachable/],
    [['posing', NAME, port, 'evil.example.test'], /Error/],
    [['run', '/usr/bin/curl', '-sk', '--noproxy', '*', 'https://evil.example.test/'], /^(|FileNotFoundError.*)$/],
    [['bind', 81], /^PermissionError/],
    [['read', '/proc/1/environ'], /^(|PWD=\/\0|FileNotFoundError.*)$/],
    [['run', '/bin/sh', '-c', 'cat /proc/*/environ | tr "\\0" "\\n" | grep -i -e proxy -e NODE_CHANNEL'], /^$/],
  ]
  const folder = join(builds.dir, 'index')
  await mkdir(folder)
  const targets = JSON.stringify(attacks.map(([attempt]) => attempt))
  const maker = join(import.meta.dirname, 'fixtures', 'hostile-packages.py')
  await promisify(execFile)('/usr/bin/python3', ['-I', maker, folder, targets])
  for (const file of await readdir(folder)) files.set(file, await readFile(join(folder, file)))

  const trusted = join(builds.places.staging, 'authority.pem')
  await writeFile(trusted, authority, { mode: 0o644 })
  tool = (spec, signal) =>
    builds.driver.tool(
      {
        ...spec,
        binds: [...spec.binds, { source: trusted, target: '/authority.pem' }],
        env: { ...spec.env, SSL_CERT_FILE: '/authority.pem' },
      },
      signal,
    )
  const network = [{ name: NAME, wildcard: false, ports: [port] }]
  indexes = { ...builds.indexes, python: async () => ({ url: `https://${NAME}:${port}/simple`, network }) }
})
afterAll(() => open.disposeAsync())

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

test.each(['evilbackend', 'evilsetup'])(
  'what %s does while it is built reaches nothing but the index',
  async (name) => {
    const contents = { 'main.py': 'def handler(input): pass\n', 'requirements.txt': `${name}\n` }
    const built = await builds.build('python', contents, { indexes, tool })
    expect(built.findings.filter(({ rule }) => rule !== 'build.network_denied')).toEqual([])
    const folder = await builds.extract(built.bundle_blob!)
    const report = await readFile(join(folder, `.skillet/site-packages/${name}_report.json`), 'utf8')
    expect(JSON.parse(report)).toEqual(attacks.map(([, held]) => expect.stringMatching(held as RegExp)))
    const told = built.findings.map(({ message }) => message).join('\n')
    for (const target of ['evil.example.test', `data.${NAME}`]) expect(told).toContain(`tried to reach ${target}`)
    expect(proxied.filter((target) => !target.startsWith(`${NAME}:`))).toEqual([])
  },
)

test('a build whose index does not answer is ended by the clock', async () => {
  const silent = open.use(await listen(createTcp(() => undefined)))
  const network = [{ name: NAME, wildcard: false, ports: [silent.port] }]
  const slow = { ...builds.indexes, python: async () => ({ url: `https://${NAME}:${silent.port}/simple`, network }) }
  const contents = { 'main.py': 'def handler(input): pass\n', 'requirements.txt': 'semver\n' }
  const built = await builds.build('python', contents, { indexes: slow, tool, timeoutMs: 3000 })
  expect(built.findings.map(({ rule }) => rule)).toEqual(['build.timeout'])
  expect(built.bundle_blob).toBeNull()
})
