import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApi } from '../../src/cli/api.ts'
import { createProgress } from '../../src/cli/progress.ts'
import type { Run } from '../../src/model/runs.ts'
import { SAMPLES, STAGE, deploySample, sampleInput } from '../../scripts/samples.ts'
import { TestServer } from './harness.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  const api = createApi(server)
  const progress = createProgress({ err: () => {}, tty: { in: false, out: false, err: false }, env: {} })
  for (const sample of SAMPLES) {
    await deploySample(api, sample, progress, (_, text) => text, new AbortController().signal)
  }
})
afterAll(() => server.stop())

test('release-notes groups commits and raises the version', async () => {
  expect(await outputOf('release-notes')).toMatchObject({
    next_version: '2.0.0',
    bump: 'major',
    unrecognised: ['Tidy up the changelog'],
  })
  const { notes } = (await outputOf('release-notes')) as { notes: string }
  expect(notes).toContain('## 2.0.0 (2026-11-21)')
  expect(notes).toContain(
    '### Breaking changes\n- **api:** rowCount is now row_count, and nullCount is null_count. (5c0ffee)',
  )
  expect(notes).toContain('### Fixes\n- **import:** accept a byte order mark')
  const log = 'abc1234 fix: y\nabc1235 (HEAD -> main) feat: z'
  expect(await outputOf('release-notes', { log, current_version: '0.1.0' })).toMatchObject({
    next_version: '0.2.0',
    bump: 'minor',
  })
})

test('csv-profile finds types, gaps and spreads, and refuses a header that names a column twice', async () => {
  expect(await outputOf('csv-profile')).toMatchObject({
    rows: 5,
    delimiter: ';',
    columns: [
      { name: 'city', type: 'text', distinct: 5 },
      { name: 'opened', type: 'date', min: '2018-02-11', max: '2022-03-05' },
      { name: 'seats', type: 'number', min: 24, max: 56, mean: 38, median: 38, quartiles: [30, 42] },
      { name: 'rating', type: 'number', missing: 1, mean: 4.475 },
      {
        name: 'wheelchair',
        type: 'boolean',
        most_frequent: [
          { value: 'yes', count: 4 },
          { value: 'no', count: 1 },
        ],
      },
    ],
  })
  const run = await server.run('csv-profile', { csv: 'a,b,a\n1,2,3\n' }, STAGE)
  expect(run).toMatchObject({
    status: 'failed',
    reason: 'validation_error',
    error: { message: expect.stringContaining('"a"') },
  })
})

test('brand-guidelines checks contrast by its script, and answers with its text without one', async () => {
  const checked = (await outputOf('brand-guidelines')) as { exit_code: number; value: unknown }
  expect(checked.exit_code).toBe(0)
  expect(checked.value).toMatchObject({
    checked: 3,
    failed: 1,
    results: [{ ratio: 14.79, aaa: true }, { aa: true }, { name: 'warning', aa: false, suggestion: '#ca4328' }],
  })
  expect(await outputOf('brand-guidelines', {})).toMatchObject({ body: expect.stringContaining('# Harbour brand') })
})

async function outputOf(name: string, input?: unknown): Promise<unknown> {
  const sample = SAMPLES.find((one) => one.name === name)!
  const run: Run = await server.run(name, input ?? sampleInput(sample), STAGE)
  expect(run.status, JSON.stringify(run.error)).toBe('succeeded')
  return run.output
}
