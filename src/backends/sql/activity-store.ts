import type { Activity } from '../../model/activity.ts'
import { SkilletError } from '../../model/errors.ts'
import type { ActivityStore } from '../flow-ports.ts'
import type { Database } from './database.ts'
import { literal } from './page.ts'
import type { Watchers } from './watchers.ts'

/** What happened in a tenant is what its events tell, but for the logs of its runs. */
export function createActivityStore(db: Database, watchers: Watchers): ActivityStore {
  return {
    async activity(tenant, after, limit) {
      const rows = await db.query<ActivityRow>(`${ACTIVITY_SQL} LIMIT ${literal(limit)}`, tenant, numberOf(after))
      return rows.map(toActivity)
    },

    async present(tenant, after) {
      const [row] = await db.query<{ n: number }>(
        `SELECT n FROM events WHERE tenant = ? AND type <> 'log' ORDER BY n DESC LIMIT 1`,
        tenant,
      )
      const newest = row?.n ?? 0
      return cursorOf(after === undefined ? newest : Math.min(numberOf(after), newest))
    },

    watchActivity: (tenant, wake) => watchers.watchTenant(tenant, wake),
  }
}

/** Deleted skills keep their row; a run that was swept away has no skill any more, and nothing is left to be told of it. */
export const ACTIVITY_SQL = `SELECT n, events.run, events.seq, type, at, data, COALESCE(events.skill, runs.skill) AS skill,
  skills.name AS skill_name, COALESCE(events.stage, runs.stage) AS stage, stages.name AS stage_name
  FROM events LEFT JOIN runs ON runs.id = events.run
  JOIN skills ON skills.id = COALESCE(events.skill, runs.skill)
  LEFT JOIN stages ON stages.id = COALESCE(events.stage, runs.stage)
  WHERE events.tenant = ? AND n > ? AND type <> 'log' ORDER BY n`

interface ActivityRow extends Omit<Activity, 'id' | 'data' | 'type'> {
  readonly n: number
  readonly type: string
  readonly data: string
}

function toActivity({ n, type, data, ...row }: ActivityRow): Activity {
  return { ...row, id: cursorOf(n), type: typeOf(type), data: JSON.parse(data) as unknown }
}

/** Events of runs are told apart from those of other things here, where they come together. */
const typeOf = (type: string): Activity['type'] =>
  (type === 'status' || type === 'result' ? `run.${type}` : type) as Activity['type']

/** Ten digits of base 36 hold every whole number up to 3.6 · 10^15, and sort as text as the numbers do. */
const DIGITS = 10

const cursorOf = (n: number): string => n.toString(36).padStart(DIGITS, '0')

/** @throws SkilletError bad_request */
function numberOf(cursor: string): number {
  if (!/^[0-9a-z]{10}$/.test(cursor)) {
    throw new SkilletError(
      'bad_request',
      `"${cursor.slice(0, 100)}" is not the id of an event that this server gave out.`,
    )
  }
  return Number.parseInt(cursor, 36)
}
