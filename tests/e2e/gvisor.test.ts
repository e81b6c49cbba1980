import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApi } from '../../src/cli/api.ts'
import { createProgress } from '../../src/cli/progress.ts'
import { findRunsc } from '../../src/runtime/runsc/find-runsc.ts'
import { SAMPLES, STAGE, deploySample, sampleInput } from '../../scripts/samples.ts'
import { TestServer } from './harness.ts'

const missing = await findRunsc().then(
  () => false,
  () => true,
)

describe.skipIf(missing)('a server with gVisor (to run this: apt-get install runsc)', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await TestServer.start({ driver: 'runsc' })
  })
  afterAll(() => server.stop())

  test('is ready, and says what it isolates with', async () => {
    const ready = await server.until(
      () => server.call<{ checks: { name: string; ok: boolean }[] }>('GET', '/readyz'),
      ({ status }) => status === 200,
    )
    expect(ready.body.checks).toContainEqual(expect.objectContaining({ name: 'gvisor', ok: true }))
  })

  test('skills of each kind are built, with what they need from package indexes, deployed and run', async () => {
    const api = createApi(server)
    const progress = createProgress({ err: () => {}, tty: { in: false, out: false, err: false }, env: {} })
    for (const sample of SAMPLES) {
      await deploySample(api, sample, progress, (_, text) => text, new AbortController().signal)
      for (let i = 0; i < 2; i++) {
        expect(await server.run(sample.name, sampleInput(sample), STAGE)).toMatchObject({ status: 'succeeded' })
      }
    }
  })
})

test('without gVisor a server that was asked for it does not start, and nothing takes its place', async ({ skip }) => {
  skip(!missing, 'gVisor is installed here')
  await expect(TestServer.start({ driver: 'runsc' })).rejects.toMatchObject({ fix: expect.stringContaining('runsc') })
})
