import { execFile } from 'node:child_process'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { othersReach } from '../../tests/support/others-reach.ts'
import { createNetworkGate } from './network-gate.ts'
import { newSessionId } from '../model/ids.ts'
import type { SessionSpec } from './driver.ts'
import type { Egress } from './egress/egress.ts'
import { openEgress } from './egress/open-egress.ts'
import { type TestSessions, invoke, openTestSessions } from './test-sessions.ts'

const LIST = [{ name: 'api.example.com', wildcard: false, ports: [443] }]
const faults: unknown[] = []
let egress: Egress
/** With a fault: it knows names that are in no list. */
let leaking = false
let sessions: TestSessions

beforeAll(async () => {
  egress = openEgress({ own: () => null, onError: (error) => faults.push(error) })
  const more = { name: 'skillet.test', wildcard: true, ports: [443] }
  const connect: Egress['connect'] = (sockets, rules, observer) =>
    egress.connect(sockets, leaking ? { ...rules, allow: [...rules.allow, more] } : rules, observer)
  sessions = await openTestSessions({ egress: { ...egress, connect } })
})
afterAll(async () => {
  await sessions.close()
  await egress.close()
  expect(faults).toEqual([])
})

async function specWith(network: SessionSpec['network']): Promise<SessionSpec> {
  const bundle = await sessions.bundle({ 'main.py': 'def handler(input): return input' })
  const handler = { kind: 'python', file: 'main.py', function: 'handler', takes_context: false } as const
  return { id: newSessionId(), runtime: 'python3', handler, bundle, memory_mb: 128, network }
}

test('a list is tried before the first session gets one, and the check says what was found', async () => {
  const gate = createNetworkGate(sessions.driver)
  const [check] = gate.checks()
  expect(check).toMatchObject({ name: 'network list' })
  expect(check!.check()).toBe('it is being tried')
  const session = await gate.prepare(await specWith(LIST))
  expect(check!.check()).toMatch(/^held/)
  expect((await invoke(session, 1)).output).toBe(1)
  await session.kill()
})

test('where a list is not held nobody gets one, the check fails, others are served; and it is tried again', async () => {
  leaking = true
  const gate = createNetworkGate(sessions.driver)
  await expect(gate.prove()).rejects.toThrow(/unlisted\.skillet\.test|not held/)
  await expect(specWith(LIST).then(gate.prepare)).rejects.toMatchObject({ name: 'SandboxError' })
  expect(() => gate.checks()[0]!.check()).toThrow(/a name that is not in it was found at 127\.77\./)
  const without = await gate.prepare(await specWith([]))
  expect((await invoke(without, 2)).output).toBe(2)
  await without.kill()
  leaking = false
  await gate.prove()
  expect(gate.checks()[0]!.check()).toMatch(/^held/)
})

test('where the driver holds no lists there is nothing to be tried', async () => {
  const gate = createNetworkGate({
    ...sessions.driver,
    capabilities: () => ({ ...sessions.driver.capabilities(), network: 'none' }),
  })
  await gate.prove()
  expect(gate.checks()).toEqual([])
})

test('a server of an ordinary user holds lists as well', async ({ skip }) => {
  const canBecomeAnother = process.getuid!() === 0 && othersReach(import.meta.dirname)
  skip(!canBecomeAnother, 'a server of another user needs root to start it, and a clone that others can read')
  const dir = await mkdtemp(join(tmpdir(), 'skillet-network-'))
  const program = `
    const [{ openPlaces }, { createBwrapDriver }, { openEgress }, { createNetworkGate }, { closeInheritedFds }] =
      await Promise.all(${JSON.stringify(['bwrap/places', 'bwrap/bwrap-driver', 'egress/open-egress', 'network-gate', 'bwrap/inherited-fds'])}
        .map((name) => import(\`${fileURLToPath(new URL('.', import.meta.url))}\${name}.ts\`)))
    closeInheritedFds()
    const places = await openPlaces(${JSON.stringify(dir)})
    const egress = openEgress({ own: () => null, onError: (error) => { throw error } })
    const driver = await createBwrapDriver({ places, egress })
    const gate = createNetworkGate(driver)
    await gate.prove()
    console.log(process.getuid(), gate.checks()[0].check())
    await driver.close()
    await egress.close()
    await places.close()`
  try {
    await chown(dir, NOBODY, NOBODY)
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      uid: NOBODY,
      gid: NOBODY,
      cwd: '/',
      env: { PATH: process.env['PATH'] },
    })
    expect(stdout).toMatch(new RegExp(`^${NOBODY} held`))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

const NOBODY = 65_534
