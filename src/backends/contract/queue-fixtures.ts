import type { QueueState } from '../../model/queues.ts'
import type { Engine } from '../ports.ts'
import { LONG, type Place, newNote, newTenant, settle } from './engine-fixtures.ts'

/** What tests of paused queues do again and again. */
export interface Pauses {
  /** A place of a tenant that exists: only such a one can be paused. */
  settleTenant(): Promise<Place>
  /** @param stage Null: the tenant. */
  pause(place: Place, stage: string | null): Promise<void>
  resume(place: Place, stage: string | null): Promise<void>
  /** Of the queue `default`. */
  stateOf(place: Place): Promise<QueueState>
  /** The runs that can be taken now, which takes them. */
  taken(): Promise<string[]>
}

export function pausesOf(engine: () => Engine): Pauses {
  return {
    async settleTenant() {
      const { tenant, key, hash } = newTenant()
      await engine().access.createTenant(tenant, key, hash, null)
      return settle(engine(), tenant.id)
    },
    pause: ({ tenant }, stage) =>
      engine().queues.setPaused(tenant, stage, true, newNote(tenant, 'queue.pause', stage ?? tenant)),
    resume: ({ tenant }, stage) =>
      engine().queues.setPaused(tenant, stage, false, newNote(tenant, 'queue.resume', stage ?? tenant)),
    stateOf: async ({ tenant }) => (await engine().queues.queues(tenant)).queues[0]!,
    taken: async () => (await engine().runs.take('default', 100, LONG)).map(({ run }) => run.id),
  }
}
