import { derivedId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Fire, Schedule } from '../../model/schedules.ts'
import type { FireOrder, FireResult, NextFire, PlannedRun } from '../flow-ports.ts'
import type { Engine } from '../ports.ts'
import { type Place, newNote, newRun } from './engine-fixtures.ts'

type Kept = Parameters<Engine['schedules']['putSchedule']>[0]

export const T0 = Date.parse('2026-11-22T12:00:00.000Z')
export const MINUTE = 60_000

export function newSchedule({ tenant, skill, stage }: Place, change: Partial<Kept> = {}): Kept {
  return {
    tenant,
    skill: skill.id,
    stage: stage.id,
    enabled: true,
    cron: '* * * * *',
    zone: 'Europe/Berlin',
    input: { text: 'größer' },
    starts_at: null,
    ends_at: null,
    jitter_s: 0,
    overlap: 'allow',
    catch_up: 'latest',
    catch_up_window_s: 3600,
    created_by: 'key_1',
    created_at: now(T0),
    updated_at: now(T0),
    ...change,
  }
}

/** Without jitter. */
export const nextAt = (instant: number): NextFire => ({ instant, due: instant })

/** Puts one that is next at `T0` unless told otherwise. */
export function putSchedule(
  engine: Engine,
  place: Place,
  change: Partial<Kept> = {},
  next: NextFire | null = nextAt(T0),
  revision?: number,
): Promise<Schedule> {
  const note = newNote(place.tenant, 'schedule.put', place.stage.id)
  return engine.schedules.putSchedule(newSchedule(place, change), next, revision, note)
}

/** What a fire of that instant begins. */
export function planned(place: Place, instant: number, change: Partial<PlannedRun> = {}): PlannedRun {
  const id = derivedId('run', instant, place.stage.id)
  const run = newRun(place, { id, scheduled_for: now(instant), created_by: `schedule:${place.stage.id}` })
  return { run, queue: 'default', refusal: null, ...change }
}

/** Fires that instant of a schedule that is at revision 1, and goes on a minute later. */
export function orderOf(place: Place, instant: number, change: Partial<FireOrder> = {}): FireOrder {
  return {
    tenant: place.tenant,
    stage: place.stage.id,
    revision: 1,
    expected: nextAt(instant),
    missed: null,
    begin: planned(place, instant),
    overlap: 'allow',
    next: nextAt(instant + MINUTE),
    ...change,
  }
}

/** @throws what the order failed with */
export async function fireOne(engine: Engine, order: FireOrder): Promise<FireResult> {
  const [result] = await engine.schedules.fire([order])
  if (result instanceof Error) throw result
  return result!
}

/** Oldest first, without what is the same in all of them. */
export async function firesOf(
  engine: Engine,
  { tenant, stage }: Place,
): Promise<Pick<Fire, 'scheduled_for' | 'outcome' | 'run'>[]> {
  const { items } = await engine.schedules.listFires(tenant, stage.id, { limit: 200 })
  return items.map(({ scheduled_for, outcome, run }) => ({ scheduled_for, outcome, run })).toReversed()
}
