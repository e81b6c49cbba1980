import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApi } from '../../src/cli/api.ts'
import { createProgress } from '../../src/cli/progress.ts'
import type { Run } from '../../src/model/runs.ts'
import type { LogEntry, ServerOptions } from '../../src/server.ts'
import { SAMPLES, STAGE, deploySample, sampleInput } from '../../scripts/samples.ts'
import { cli } from '../support/cli.ts'
import { TestServer } from './harness.ts'

const without: Partial<ServerOptions> = { developmentWithoutIsolation: true }
const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('skillet-bare-'))

describe('without isolation', () => {
  let server: TestServer
  const log: LogEntry[] = []
  let before: string[]
  beforeAll(async () => {
    before = folders()
    server = await TestServer.start({ ...without, log: (entry) => log.push(entry) })
  })
  afterAll(async () => {
    await server.stop()
    expect(folders().filter((name) => !before.includes(name))).toEqual([])
  })

  test('skills of each kind are built, deployed and run', async () => {
    const api = createApi(server)
    const progress = createProgress({ err: () => {}, tty: { in: false, out: false, err: false }, env: {} })
    for (const sample of SAMPLES) {
      await deploySample(api, sample, progress, (_, text) => text, new AbortController().signal)
      for (let i = 0; i < 2; i++) {
        const run: Run = await server.run(sample.name, sampleInput(sample), STAGE)
        expect(run).toMatchObject({ status: 'succeeded', usage: { limits: 'none', cpu_ms: null } })
      }
    }
  })

  test('time runs out, and what a run started ends with it', async () => {
    await server.deploy(
      'endless',
      {
        'skill.yaml': 'name: endless\ndescription: Never ends.\nentry: main.py\n',
        'main.py':
          'import subprocess, sys, time\n\ndef handler(input: dict) -> dict:\n    child = subprocess.Popen(["/bin/sleep", "4711"])\n    print(child.pid, flush=True)\n    if not input.get("end"):\n        time.sleep(100)\n    return {"pid": child.pid}\n',
      },
      { timeout_s: 1 },
    )
    const ended = await server.run('endless', { end: true })
    expect(ended.status).toBe('succeeded')
    expect(await server.run('endless', {})).toMatchObject({ status: 'failed', reason: 'timeout' })
    const { pid } = ended.output as { pid: number }
    // Whoever buries it may take a while.
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    expect(command).not.toContain('4711')
  })

  test('everybody is told: the log, readiness, the doctor', async () => {
    expect(log.filter(({ message }) => message.includes('NOTHING IS ISOLATED'))).toHaveLength(1)
    const { body } = await server.call<{ ready: boolean; checks: { name: string; message: string }[] }>(
      'GET',
      '/readyz',
    )
    const told = body.checks.find(({ name }) => name === 'isolation')
    expect(told?.message).toContain('NONE')
    const doctor = await cli(['doctor'], { env: { SKILLET_URL: server.url } })
    expect(doctor.out).toContain('isolation: NONE')
  })

  test('there is no second tenant', async () => {
    const key = (await readFile(join(server.dataDir, 'operator.key'), 'utf8')).trim()
    const refused = await server.call<{ code: string }>(
      'POST',
      '/api/tenants',
      { name: 'other' },
      { authorization: `Bearer ${key}` },
    )
    expect([refused.status, refused.body.code]).toEqual([409, 'one_tenant_only'])
  })
})

test.each([
  ['another address', { host: '0.0.0.0' }, /listens at 0\.0\.0\.0/],
  ['production', { environment: 'production' }, /for production/],
  ['a driver that isolates', { driver: 'bwrap' as const }, /asked for the driver bwrap/],
])('%s and no isolation: such a server does not start', async (_, options, message) => {
  await expect(TestServer.start({ ...without, ...options })).rejects.toMatchObject({
    message: expect.stringMatching(message),
    fix: expect.stringContaining('Start it without'),
  })
})

test('a data folder with two tenants is not served without isolation', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'skillet-two-'))
  try {
    const isolated = await TestServer.start({ dataDir })
    const key = (await readFile(join(dataDir, 'operator.key'), 'utf8')).trim()
    await isolated.ok('POST', '/api/tenants', { name: 'other' }, { authorization: `Bearer ${key}` })
    await isolated.stop()
    await expect(TestServer.start({ ...without, dataDir })).rejects.toThrow(/has 2 tenants/)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})
