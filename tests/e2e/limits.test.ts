import { expect, test } from 'vitest'
import { cli } from '../support/cli.ts'
import { type Problem, TestServer, python } from './harness.ts'

interface Readiness {
  readonly ready: boolean
  readonly checks: { name: string; ok: boolean; message: string | null; fix: string | null }[]
}

/** They take up work only where it can be isolated. */
const NOT_BEGUN = new Set(['worker', 'schedules'])
const ECHO = python('echo', 'def handler(input):\n    return input\n')

test('a server for production runs nothing where a watchdog is all that holds memory, until that is allowed by name', async () => {
  const server = await TestServer.start({ limits: 'soft', environment: 'production' })
  try {
    const { status, body } = await server.call<Readiness>('GET', '/readyz')
    expect(status).toBe(503)
    expect(body.checks.filter(({ name, ok }) => !ok && !NOT_BEGUN.has(name))).toEqual([
      {
        name: 'limits',
        ok: false,
        message: expect.stringMatching(/soft: .* not enough with SKILLET_ENV=production/),
        fix: expect.stringMatching(/cgroup.*--allow soft-limits/),
      },
    ])
    await server.call('POST', '/api/skills', { name: 'echo', description: 'Echoes.' })
    await server.ok('PUT', '/api/skills/echo/stages/dev', { config: {} })
    const refused = await server.call<Problem>('POST', '/api/skills/echo/stages/dev/uploads', {
      size: 1000,
      sha256: 'a'.repeat(64),
    })
    expect(refused).toMatchObject({ status: 503, body: { code: 'isolation_unavailable' } })
    expect(refused.body.detail).toContain('SKILLET_ENV=production')
  } finally {
    await server.stop()
  }
})

test('soft limits that are allowed by name are named in readiness and on each run', async () => {
  const server = await TestServer.start({ limits: 'soft', environment: 'production', allow: ['soft-limits'] })
  try {
    const { status, body } = await server.call<Readiness>('GET', '/readyz')
    expect(status).toBe(200)
    expect(body.checks).toContainEqual(
      expect.objectContaining({ name: 'limits', ok: true, message: expect.stringContaining('--allow soft-limits') }),
    )
    // What would be better is said all the same, and root is not told to be root.
    const told = (await cli(['doctor'], { env: { SKILLET_URL: server.url, SKILLET_KEY: server.key } })).out
    expect(told).toMatch(/^ok {4}limits: soft: .*\n {6}To do better: For hard limits delegate a cgroup v2 subtree/m)
    expect(told.includes('or run it as root.')).toBe(process.getuid!() !== 0)
    await server.deploy('echo', ECHO)
    expect((await server.run('echo', {})).usage).toMatchObject({ limits: 'soft' })
  } finally {
    await server.stop()
  }
})

test('readiness tells what limits are held by, and what skills run on', async () => {
  const server = await TestServer.start()
  try {
    const { checks } = (await server.call<Readiness>('GET', '/readyz')).body
    const said = (name: string): string | null => checks.find((check) => check.name === name)!.message
    expect(said('limits')).toMatch(/^(hard: .*cgroup v[12]|soft: )/)
    expect(said('kernel')).toMatch(/^Linux \d+\.\d+/)
    expect(said('memory')).toMatch(/^(\d+) MB; all sandboxes together may take \1 MB \(factor 1\)$/)
    expect(said('runtimes')).toMatch(/python3\.\d+ \(3\.\d+\.\d+.*, the default\).*node24 \(24\.\d+\.\d+\)/)
    expect(said('user ids')).toMatch(process.getuid!() === 0 ? /60707 to 61183/ : /share/)
  } finally {
    await server.stop()
  }
})
