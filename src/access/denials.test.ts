import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Engine } from '../backends/ports.ts'
import { openSqliteEngine } from '../backends/sql/sql-engine.ts'
import type { Caller } from '../model/access.ts'
import { SkilletError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { type Denial, createDenials } from './denials.ts'

let folder: string
let engine: Engine
let caller: Caller
let at: number
let errors: unknown[]
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-denials-'))
  engine = await openSqliteEngine({ folder })
})
beforeEach(() => {
  at = Date.now()
  errors = []
  caller = {
    kind: 'key',
    id: newId('key'),
    tenant: newId('tenant'),
    role: 'agent',
    request_id: 'req_1',
    client: '192.0.2.7',
  }
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const denialOf = (change: Partial<Denial> = {}): Denial => ({
  operation: 'skills.write',
  method: 'DELETE',
  path: '/api/skills/{skill}',
  target: { skill: 'notes' },
  error: new SkilletError('forbidden', 'No.'),
  ...change,
})

const start = (audit: Parameters<typeof createDenials>[0] = engine.audit) =>
  createDenials(audit, { onError: (error) => void errors.push(error), clock: () => at })
const rows = async () =>
  (await engine.audit.list(caller.tenant, { limit: 50 })).items
    .toReversed()
    .map(({ target_kind, target, outcome, detail }) => [target_kind, target, outcome, detail['left_out']])

test('a denial is a row in the log of the tenant by the time it is answered', async () => {
  const denials = start()
  await denials.record(caller, denialOf())
  await denials.record(caller, denialOf({ operation: 'runs.read', target: { run: 'run_1' } }))
  await denials.record(caller, denialOf({ operation: 'keys.manage', target: {} }))
  await denials.record(caller, denialOf({ operation: 'stages.write', target: { skill: 'a', stage: 'b' } }))
  expect(await rows()).toEqual([
    ['skill', 'notes', 'denied', undefined],
    ['run', 'run_1', 'denied', undefined],
    ['operation', 'keys.manage', 'denied', undefined],
    ['stage', 'a/b', 'denied', undefined],
  ])
  await denials.close()
  expect(await rows()).toHaveLength(4)
})

test('many at once are one row a second, and the next one says how many were left out', async () => {
  const denials = start()
  await Promise.all(Array.from({ length: 100 }, () => denials.record(caller, denialOf())))
  expect(await rows()).toHaveLength(1)
  at += 1000
  await denials.record(caller, denialOf({ target: { skill: 'next' } }))
  await denials.record(caller, denialOf({ target: { skill: 'last' } }))
  const another = { ...caller, id: newId('key') }
  await denials.record(another, denialOf())
  expect(await rows()).toEqual([
    ['skill', 'notes', 'denied', undefined],
    ['skill', 'next', 'denied', 99],
    ['skill', 'notes', 'denied', undefined],
  ])
  await Promise.all([denials.close(), denials.close()])
  expect((await rows()).at(-1)).toEqual(['skill', 'last', 'denied', undefined])
})

test('what was left out last is told when no other comes', async () => {
  const told = Promise.withResolvers<void>()
  const written: unknown[] = []
  const audit = {
    async append(...[note, outcome]: Parameters<Engine['audit']['append']>) {
      const event = await engine.audit.append(note, outcome)
      written.push(event)
      if (written.length === 2) told.resolve()
      return event
    },
  }
  const denials = createDenials(audit, { onError: (error) => void errors.push(error), quietMs: 5 })
  await denials.record(caller, denialOf())
  await denials.record(caller, denialOf())
  await denials.record(caller, denialOf())
  await told.promise
  await denials.close()
  const counted = (await rows()).map(([, , , leftOut]) => leftOut)
  // On a slow machine the second or third may have been a row of its own.
  expect(counted.length + counted.reduce<number>((sum, one) => sum + Number(one ?? 0), 0)).toBe(3)
})

test('when it cannot be written, it is told, and the denial is none the less', async () => {
  const denials = start({ append: () => Promise.reject(new Error('disk full')) })
  await denials.record(caller, denialOf())
  expect(errors).toMatchObject([{ message: 'disk full' }])
  await denials.close()
})
