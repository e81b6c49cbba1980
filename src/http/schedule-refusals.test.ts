import { afterAll, beforeAll, expect, test } from 'vitest'
import { LIMITS } from '../model/sizes.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Answer {
  readonly code: string
  readonly detail: string
  readonly errors: { readonly pointer: string }[]
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  // It takes objects with an integer `a`.
  await server.deploy('notes', 'prod', packageOf('one'))
  await server.call('PUT', '/api/skills/notes/stages/empty', {})
  await put({ cron: '0 6 * * *' })
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const pathOf = (stage: string): string => `/api/skills/notes/stages/${stage}/schedule`
const put = (body: object, stage = 'empty') => server.call<Answer>('PUT', pathOf(stage), body)

/** A stage of its own. */
async function newStage(): Promise<string> {
  const stage = `stage-${++stages}`
  await server.call('PUT', `/api/skills/notes/stages/${stage}`, {})
  return stage
}
let stages = 0

const FAR = { starts_at: '2090-01-01T00:00:00Z', ends_at: '2090-01-02T00:00:00Z' }
const table: [string, object, string, string][] = [
  ['a minute that is none', { cron: '61 * * * *' }, 'cron_invalid', 'minute "61"'],
  ['six fields', { cron: '0 0 6 * * *' }, 'cron_invalid', '6 fields'],
  ['the last day', { cron: '0 6 L * *' }, 'cron_invalid', 'L, W, #, ? and @ are not taken'],
  ['a day that never comes', { cron: '0 6 31 2 *' }, 'cron_invalid', 'never fire'],
  ['an offset', { cron: '0 6 * * *', zone: '+02:00' }, 'zone_unknown', '"+02:00"'],
  ['a zone that is none', { cron: '0 6 * * *', zone: 'Europe/Atlantis' }, 'zone_unknown', 'Atlantis'],
  ['an end before the start', { cron: '0 6 * * *', ...FAR, ends_at: FAR.starts_at }, 'schedule_invalid', 'It ends'],
  ['an end in the past', { cron: '0 6 * * *', ends_at: '2020-01-01T00:00:00Z' }, 'schedule_invalid', 'It ended'],
  ['nothing in between', { cron: '0 6 15 * *', ...FAR }, 'schedule_invalid', 'names no instant from 2090-01-01'],
  ['a start beyond time', { cron: '0 6 29 2 *', starts_at: '9999-01-01T00:00:00Z' }, 'schedule_invalid', 'no instant'],
  ['no expression', {}, 'bad_request', ''],
  ['what nobody knows', { cron: '0 6 * * *', schedule_enabled: true }, 'bad_request', ''],
  ['an hour of jitter and more', { cron: '0 6 * * *', jitter_s: 3601 }, 'bad_request', ''],
  ['a local instant', { cron: '0 6 * * *', starts_at: '2090-01-01T00:00:00+01:00' }, 'bad_request', ''],
]

test.each(table)('%s', async (_what, body, code, detail) => {
  const stage = await newStage()
  const { status, body: answer } = await put(body, stage)
  expect([status, answer.code]).toEqual([400, code])
  expect(answer.detail).toContain(detail)
  expect((await server.call('GET', pathOf(stage))).status).toBe(404)
})

test.each(table.filter(([, , code]) => code !== 'bad_request'))(
  '%s, as a preview',
  async (_what, body, code, detail) => {
    const { status, body: answer } = await server.call<Answer>('POST', '/api/schedules/preview', body)
    expect([status, answer.code, answer.detail]).toEqual([400, code, expect.stringContaining(detail)])
  },
)

test('an input that the stage does not take, with the place', async () => {
  const { status, body } = await put({ cron: '0 6 * * *', input: { a: 'one' } }, 'prod')
  expect([status, body.code, body.errors[0]!.pointer]).toEqual([400, 'input_invalid', '/a'])
  expect((await put({ cron: '0 6 * * *' }, 'prod')).body.code).toBe('input_invalid')
  expect((await put({ cron: '0 6 * * *', input: { a: 1 } }, 'prod')).status).toBe(200)
})

test('an input that is too large, whatever the stage serves', async () => {
  const frame = '{"a":1,"filler":"x"}'
  const bytes = (length: number): object => ({ a: 1, filler: `x${'é'.repeat((length - frame.length) / 2)}` })
  const input = bytes(LIMITS.scheduleInputBytes + 2)
  for (const stage of ['prod', 'empty']) {
    const { status, body } = await put({ cron: '0 6 * * *', input }, stage)
    expect([status, body.code]).toEqual([413, 'input_too_large'])
  }
  expect((await put({ cron: '0 6 * * *', input: bytes(LIMITS.scheduleInputBytes) }, await newStage())).status).toBe(200)
})

test('a stage or a schedule that there is not', async () => {
  const stage = await newStage()
  for (const name of ['nowhere', stage]) {
    expect((await server.call('GET', pathOf(name))).status).toBe(404)
    expect((await server.call('DELETE', pathOf(name))).status).toBe(404)
    expect((await server.call('GET', `${pathOf(name)}/next`)).status).toBe(404)
    for (const verb of ['pause', 'resume'] as const)
      expect((await server.call('POST', `${pathOf(name)}/${verb}`)).status).toBe(404)
  }
  expect((await put({ cron: '0 6 * * *' }, 'nowhere')).body.code).toBe('not_found')
  expect((await server.call('GET', `${pathOf('nowhere')}/fires`)).status).toBe(404)
  expect((await server.call('GET', `${pathOf(stage)}/fires`)).body).toEqual({ items: [], next: null })
})

test.each(['0', '101', '1.5', 'many', ''])('a count of %j', async (count) => {
  const { body } = await server.call<Answer>('GET', `${pathOf('empty')}/next?count=${count}`)
  expect(body.code).toBe('bad_request')
})
