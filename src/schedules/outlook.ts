import type { ScheduleOutlook, ScheduleTiming } from '../model/schedules.ts'
import { parseCron } from './cron.ts'
import { toEventBridge } from './eventbridge.ts'
import { nextFires } from './next-fires.ts'
import type { CheckedTiming } from './spec.ts'

/** When a schedule fires, as callers are told. @param after Milliseconds since 1970. */
export async function outlookOf(
  { cron, zone }: ScheduleTiming,
  { instants, end }: CheckedTiming,
  after: number,
  count: number,
): Promise<ScheduleOutlook> {
  const next = await nextFires(instants, zone, { after, before: end, count })
  return { cron, zone, next, eventbridge: toEventBridge(parseCron(cron)) }
}
