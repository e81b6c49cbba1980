import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Secret } from '../../src/model/secrets.ts'
import { TestServer } from './harness.ts'

interface Readiness {
  ready: boolean
  checks: { name: string; ok: boolean; message: string | null; fix: string | null }[]
}

const [FRESH, OLD] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]

let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skillet-vault-e2e-'))
})
afterAll(() => rm(dataDir, { recursive: true, force: true }))

/** @returns What the check `vault` of the server says. */
async function withServer(masterKey: string, work?: (server: TestServer) => Promise<void>) {
  const server = await TestServer.start({ dataDir, masterKey, environment: 'prod-eu' })
  try {
    await work?.(server)
    const { body } = await server.call<Readiness>('GET', '/readyz')
    const vault = body.checks.find(({ name }) => name === 'vault')!
    if (!vault.ok) expect(body.ready).toBe(false)
    return vault
  } finally {
    await server.stop()
  }
}

test('a server without the right master key says so and goes on; with new and old key all moves to the new one', async () => {
  const fine = { name: 'vault', ok: true, message: null, fix: null }
  const sealed = await withServer(OLD, async (server) => {
    const secret = await server.ok<Secret>('POST', '/api/secrets', { name: 'token', value: 'x' })
    expect(secret.path).toBe(`agent-runner/prod-eu/tenant/${secret.tenant}/secrets/${secret.id}`)
  })
  expect(sealed).toEqual(fine)

  const lost = await withServer(FRESH, async (server) => {
    expect((await server.ok<{ items: Secret[] }>('GET', '/api/secrets')).items).toHaveLength(1)
  })
  expect(lost).toEqual({
    name: 'vault',
    ok: false,
    message: expect.stringMatching(/^Values are sealed under master key [0-9a-f]{16}, which is not here\.$/),
    fix: expect.stringContaining('the master key that the values were sealed under'),
  })

  const both = await withServer(`${FRESH},${OLD}`, async (server) => {
    const answer = await server.call('POST', '/api/vault/rotate', undefined, {
      authorization: `Bearer ${(await readFile(join(dataDir, 'operator.key'), 'utf8')).trim()}`,
    })
    expect(answer).toMatchObject({ status: 200, body: { rewrapped: 1 } })
  })
  expect(both).toEqual(fine)
  expect(await withServer(FRESH)).toEqual(fine)
  expect(await readdir(dataDir)).not.toContain('master.key')
})
