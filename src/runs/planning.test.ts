import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Place,
  activate,
  newDeployment,
  newNote,
  newTenant,
  settle,
} from '../backends/contract/engine-fixtures.ts'
import type { Engine } from '../backends/ports.ts'
import { openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { isId } from '../model/ids.ts'
import { scheduleActor } from '../model/schedules.ts'
import { LIMITS } from '../model/sizes.ts'
import { createSchemaValidator } from '../schemas/json-schema-validator.ts'
import { createDeploymentCache } from './deployment-cache.ts'
import { type Planner, createPlanner } from './planning.ts'

const INSTANT = '2026-03-29T01:00:00.000Z'
const schemas = createSchemaValidator({ threads: 1 })

let folder: string
let engine: Engine
let place: Place
let planner: Planner
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-planning-'))
  engine = await openSqliteEngine({ folder })
  const { tenant, key, hash } = newTenant()
  await engine.access.createTenant(tenant, key, hash, null)
  place = await settle(engine, tenant.id)
  const { stage } = place
  const deployment = {
    ...newDeployment(stage, '2.0.0'),
    input_schema: {
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: 'string', pattern: '^(x+x+)+y$' } },
    },
  }
  place = {
    ...place,
    stage: await activate(engine, stage, { ...deployment, config: { ...deployment.config, size: 'L' } }),
    deployment,
  }
  planner = createPlanner({ engine, schemas, deployments: createDeploymentCache(engine) })
})
afterAll(async () => {
  await Promise.all([engine.close(), schemas.close()])
  await rm(folder, { recursive: true, force: true })
})

function plan(input: unknown, change: { stage?: string; scheduled_for?: string } = {}) {
  const { tenant, skill, stage } = place
  const created_by = scheduleActor(stage.id)
  return planner.plan({
    tenant,
    skill: skill.id,
    stage: stage.id,
    input,
    scheduled_for: INSTANT,
    created_by,
    ...change,
  })
}

test('a run of what the stage serves, in the queue of its size', async () => {
  const { run, queue, refusal } = await plan({ a: 1 })
  expect([queue, refusal]).toEqual(['long', null])
  expect(run).toMatchObject({
    status: 'queued',
    stage: place.stage.id,
    deployment: place.deployment.id,
    version: '2.0.0',
    input: { a: 1 },
    scheduled_for: INSTANT,
    created_by: scheduleActor(place.stage.id),
  })
})

test('a stage and an instant have one run', async () => {
  const [first, again, later] = await Promise.all([
    plan({ a: 1 }),
    plan({ a: 2 }),
    plan({ a: 1 }, { scheduled_for: '2026-03-29T01:01:00.000Z' }),
  ])
  expect(isId('run', first.run.id)).toBe(true)
  expect(again.run.id).toBe(first.run.id)
  expect(later.run.id > first.run.id).toBe(true)
})

test('input that the schema refuses is a reason that names the places', async () => {
  const { run, refusal } = await plan({ a: 'one' })
  expect(run.deployment).toBe(place.deployment.id)
  expect(refusal).toMatchObject({ reason: 'input_invalid', error: { message: expect.stringContaining('/a: ') } })
})

test('so are input that takes too long to check and input that is too large', async () => {
  const slow = await plan({ b: 'x'.repeat(40) })
  expect(slow.refusal).toMatchObject({
    reason: 'input_invalid',
    error: { message: expect.stringContaining('stopped') },
  })
  const large = await plan({ text: 'x'.repeat(LIMITS.inputBytes) })
  expect(large.refusal).toMatchObject({ reason: 'input_invalid', error: { message: expect.stringContaining('bytes') } })
  const fits = await plan({ text: 'x'.repeat(LIMITS.inputBytes - '{"text":""}'.length) })
  expect(fits.refusal).toBeNull()
})

test('a stage that serves nothing, or is gone, is a reason too', async () => {
  const { tenant, skill } = place
  const empty = await engine.skills.putStage(tenant, skill.id, 'empty', null, undefined, newNote(tenant, 'stage.put'))
  for (const stage of [empty.id, 'stg_gone']) {
    const { run, refusal } = await plan({}, { stage })
    expect(run).toMatchObject({ stage, deployment: null, version: null })
    expect(refusal?.reason).toBe('stage_not_active')
  }
})
