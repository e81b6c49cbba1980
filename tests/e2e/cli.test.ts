import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Run } from '../../src/model/runs.ts'
import { cli } from '../support/cli.ts'
import { TestServer, python } from './harness.ts'

let server: TestServer
let cwd: string
let env: Record<string, string>
beforeAll(async () => {
  server = await TestServer.start()
  cwd = await mkdtemp(join(tmpdir(), 'skillet-cli-e2e-'))
  env = { SKILLET_DATA: server.dataDir }
})
afterAll(async () => {
  await server.stop()
  await rm(cwd, { recursive: true, force: true })
})

const skillet = (...args: string[]) => cli(args, { env, cwd })

test.each([
  ['python', { lines: 2, longest: 31, average: 22, over_limit: [2] }],
  [
    'typescript',
    {
      words: 5,
      most_frequent: [
        { word: 'the', count: 2 },
        { word: 'and', count: 1 },
      ],
    },
  ],
  ['skill-md', { value: { sentences: 2, too_long: [{ sentence: 'This one is longer.', words: 4 }] } }],
])('what init %s makes is deployed and runs as it stands', async (format, output) => {
  const name = `made-by-${format}`
  expect((await skillet('init', format, name)).code).toBe(0)
  const deployed = await skillet('deploy', name, '--yes')
  expect(deployed).toMatchObject({ code: 0, out: expect.stringContaining(`skillet invoke ${name}`) })
  expect(deployed.err).toContain('Uploading')
  const run = await skillet('invoke', name, '--input', `@${name}/sample-input.json`, '--wait')
  expect(run.code, run.err).toBe(0)
  expect(JSON.parse(run.out)).toMatchObject(output)
})

test('follows a run: log on stderr while it goes on, result on stdout, events as JSON lines', async () => {
  await server.deploy(
    'talker',
    python('talker', 'def handler(input):\n    print("hello from inside")\n    return {"n": 1}\n'),
  )
  const human = await skillet('invoke', 'talker')
  expect(human).toMatchObject({ code: 0, out: '{\n  "n": 1\n}\n' })
  expect(human.err).toMatch(/hello from inside[\s\S]*succeeded {2}run_/)
  const machine = await skillet('invoke', 'talker', '--follow', '--json')
  const events = machine.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string })
  expect(events.at(-1)).toMatchObject({ type: 'result' })
  expect(events.map(({ type }) => type)).toContain('log')

  const { run_id } = JSON.parse((await skillet('invoke', 'talker', '--detach', '--json')).out) as { run_id: string }
  const logs = await skillet('run', 'logs', run_id, '--follow')
  expect(logs).toMatchObject({ code: 0, out: expect.stringContaining('hello from inside') })
  const shown = JSON.parse((await skillet('run', 'show', run_id, '--json')).out) as Run
  expect(shown).toMatchObject({ id: run_id, status: 'succeeded', output: { n: 1 } })
  const replayed = await skillet('run', 'replay', run_id, '--json')
  expect(JSON.parse(replayed.out)).toMatchObject({ replay_of: run_id, status: 'succeeded' })
  expect((await skillet('run', 'list', '--skill', 'talker')).out).toContain(run_id)
})

test('a run that fails ends with 1 and shows why; the input that is refused, too', async () => {
  const main = 'def handler(input):\n    raise ValueError("no such city: " + input["city"])\n'
  const input = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  await server.deploy('thrower', python('thrower', main, { input }))
  const failed = await skillet('invoke', 'thrower', '--input', '{"city": "Atlantis"}')
  expect(failed).toMatchObject({ code: 1, out: '' })
  expect(failed.err).toContain('no such city: Atlantis')
  const refused = await cli(['invoke', 'thrower', '--input', '-'], { env, cwd, stdin: '{}' })
  expect(refused.code).toBe(1)
  expect(refused.err).toContain('city')
})

test('cancels what runs', async () => {
  await server.deploy(
    'sleeper',
    python('sleeper', 'import time\ndef handler(input):\n    time.sleep(600)\n    return {}\n'),
  )
  const id = (await skillet('invoke', 'sleeper', '--detach')).out.trim()
  await server.reached(id, 'running')
  expect((await skillet('run', 'cancel', id)).code).toBe(0)
  expect(await server.finished(id)).toMatchObject({ status: 'cancelled' })
})

test('a package that the validator rejects ends with 6 and shows file, line, rule and remedy', async () => {
  await mkdir(join(cwd, 'bad'))
  await writeFile(join(cwd, 'bad/skill.yaml'), 'name: bad\ndescription: Does not parse.\n')
  await writeFile(join(cwd, 'bad/main.py'), 'def handler(input):\n    return {\n')
  for (const command of [
    ['validate', 'bad'],
    ['deploy', 'bad', '--yes'],
  ]) {
    const { code, out } = await skillet(...command)
    expect(code).toBe(6)
    expect(out).toMatch(/main\.py:\d+ .*python\.syntax\n +\S/)
  }
  const { out } = await skillet('validate', 'bad', '--json')
  expect(JSON.parse(out)).toMatchObject({
    state: 'rejected',
    findings: expect.arrayContaining([expect.objectContaining({ rule: 'python.syntax' })]),
  })
})

test('stages: configure, promote, roll back', async () => {
  await server.deploy(
    'staged',
    python('staged', 'import os\ndef handler(input):\n    return {"mode": os.environ.get("MODE")}\n'),
  )
  expect((await skillet('stage', 'promote', 'staged', 'dev', 'prod')).out).toContain('served on prod')
  expect((await skillet('stage', 'config', 'staged', 'dev', '--env', 'MODE=fast', '--size', 'S')).code).toBe(0)
  expect(JSON.parse((await skillet('stage', 'config', 'staged', 'dev', '--json')).out)).toEqual({
    size: 'S',
    env: { MODE: 'fast' },
  })
  await server.ok('POST', '/api/skills/staged/stages/dev/deploy', { change_level: 'patch' })
  expect(JSON.parse((await skillet('invoke', 'staged', '--wait')).out)).toEqual({ mode: 'fast' })
  expect((await skillet('stage', 'rollback', 'staged', 'dev')).code).toBe(0)
  expect(JSON.parse((await skillet('invoke', 'staged', '--wait')).out)).toEqual({ mode: null })
  expect((await skillet('stage', 'show', 'staged', 'dev')).out).toMatch(/rollback.*\n.*deploy/)
  expect((await skillet('skill', 'show', 'staged')).out).toMatch(/prod +active +\d+\.\d+\.\d+ +python3\.\d+ /)
  expect((await skillet('skill', 'delete', 'staged', '--yes')).code).toBe(0)
  expect((await skillet('skill', 'show', 'staged')).code).toBe(5)
})

test('a deploy that nobody confirms is not done', async () => {
  await skillet('init', 'python', 'unconfirmed')
  expect(await skillet('deploy', 'unconfirmed')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') })
  expect(await server.ok('GET', '/api/skills/unconfirmed/stages/dev')).toMatchObject({ state: 'ready_to_deploy' })
})

test('whoami and doctor tell about the server that was found; a wrong key is refused with 4', async () => {
  const me = JSON.parse((await skillet('whoami', '--json')).out) as object
  expect(me).toMatchObject({ url: server.url, role: 'owner', key_source: join(server.dataDir, 'owner.key') })
  const doctor = await skillet('doctor', '--json')
  expect(JSON.parse(doctor.out)).toMatchObject({ server: server.url, ready: true })
  expect(doctor.code).toBe(0)
  const wrong = await cli(['skill', 'list'], { env: { ...env, SKILLET_KEY: 'sk_wrong' } })
  expect(wrong).toMatchObject({ code: 4, err: expect.not.stringContaining('sk_wrong') })
})

test('serve runs until SIGTERM, tells a log where its key lies, and holds its folder alone', async () => {
  const data = join(cwd, 'served')
  const first = serve(data)
  const errors = text(first.stderr!)
  const url = await untilServed(first)
  const key = (await readFile(join(data, 'owner.key'), 'utf8')).trim()
  expect((await cli(['whoami', '--data', data])).out).toContain(url)

  const second = serve(data)
  const complaint = text(second.stderr!)
  expect(await exit(second)).toBe(1)
  expect(await complaint).toContain(String(first.pid))

  first.kill('SIGTERM')
  expect(await exit(first)).toBe(0)
  expect(await errors).toContain(join(data, 'owner.key'))
  // Where no terminal is, each request is a line of JSON, and the last ones are written before the end.
  const lines = (await errors).split('\n').filter((line) => line.startsWith('{'))
  const requests = lines.map((line) => JSON.parse(line) as { message: string; route: string; status: number })
  expect(requests).toContainEqual(expect.objectContaining({ message: 'request', route: '/api/whoami', status: 200 }))
  expect(await errors).not.toContain(key)
})

test('serve shows a terminal its key, the first time', async () => {
  const data = join(cwd, 'shown')
  const shown = await onTerminal(data)
  const key = (await readFile(join(data, 'owner.key'), 'utf8')).trim()
  expect(shown).toContain(key)
  expect(await onTerminal(data)).not.toContain(key)
})

const SERVE = new URL('../../src/cli/main.ts', import.meta.url).pathname

function serve(data: string): ChildProcess {
  return spawn(process.execPath, [SERVE, 'serve', '--port', '0', '--data', data], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** What a server prints to a terminal until somebody presses Ctrl-C. */
async function onTerminal(data: string): Promise<string> {
  const command = [process.execPath, SERVE, 'serve', '--port', '0', '--data', data]
  const child = spawn('/usr/bin/python3', ['-c', 'import pty, sys; pty.spawn(sys.argv[1:])', ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  for await (const chunk of child.stdout) {
    shown += String(chunk)
    // Pressed when all of the greeting is there.
    if (shown.includes('owner.key') || /Ctrl-C stops it/.test(shown)) child.stdin.write('\x03')
  }
  child.stdin.end()
  return shown
}

/** The URL, once it is printed: from then on the server answers. */
async function untilServed(child: ChildProcess): Promise<string> {
  for await (const chunk of child.stdout!) {
    const url = /http:\S+/.exec(String(chunk))?.[0]
    if (url !== undefined) return url
  }
  throw new Error('The server ended before it served.')
}

async function exit(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit')
  return child.exitCode
}
