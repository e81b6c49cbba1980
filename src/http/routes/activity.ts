import { z } from 'zod'
import { placesOf } from '../../model/coverage.ts'
import { Activity, ActivityType } from '../../model/activity.ts'
import { SkilletError } from '../../model/errors.ts'
import { frame, live } from '../live.ts'
import type { Reply } from '../reply.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const Begin = z.object({
  after: z.string().max(100).optional().meta({ description: 'As Last-Event-ID, which comes first.' }),
  types: z.string().max(200).optional().meta({ description: 'Only these types, with commas between them.' }),
})

/** What comes first, so that also who loses the connection before anything happened goes on from there. */
const Hello = z
  .object({ id: z.string().meta({ description: 'What comes after this one follows.' }) })
  .meta({ id: 'Hello' })

const DESCRIPTION =
  'Begins with `hello`, whose id is where it begins; then each event has its type as its name, and an Activity as its data. ' +
  'Without an id, only what is new. It ends when the caller may not read it any more, within a minute, and when the server stops.'

const DECLARED = {
  tag: 'runs',
  method: 'GET',
  access: 'events.read',
  query: Begin,
  headers: { 'Last-Event-ID': 'Go on after this event.' },
  responses: { 200: { description: 'The events.', also: { 'text/event-stream': z.union([Activity, Hello]) } } },
  errors: [],
} as const

export const activityRoutes = ({ skills, activity, cursors }: Services): Route[] => [
  route({
    ...DECLARED,
    id: 'followTenant',
    path: '/api/events',
    summary: 'Follow what happens in the tenant as server-sent events',
    description: `${DESCRIPTION} Whoever needs a grant sees what happens on skills and stages that it covers.`,
    handle: ({ caller: { tenant }, query, header, coverage }) =>
      follow({ activity, cursors }, tenant, { ...begin(query, header), only: placesOf(coverage) }),
  }),
  route({
    ...DECLARED,
    id: 'followStage',
    path: '/api/skills/{skill}/stages/{stage}/events',
    summary: 'Follow what happens on a stage as server-sent events',
    description: DESCRIPTION,
    async handle({ caller: { tenant }, params, query, header }) {
      const { id: stage } = await skills.stages.find(tenant, params.skill, params.stage)
      return follow({ activity, cursors }, tenant, { ...begin(query, header), stage })
    },
  }),
]

async function follow(
  { activity, cursors }: Pick<Services, 'activity' | 'cursors'>,
  tenant: string,
  { after, ...filter }: { after: string | undefined } & Parameters<Services['activity']['follow']>[1],
): Promise<Reply> {
  const from = await activity.present(tenant, after && cursors.open(tenant, after))
  const id = cursors.seal(tenant, from)
  return {
    status: 200,
    live: live(
      (signal) => activity.follow(tenant, filter, from, signal),
      (one) => frameOf(one, cursors, tenant),
      frame(id, 'hello', { id }),
    ),
  }
}

function begin(
  { after, types }: z.output<typeof Begin>,
  header: (name: string) => string | undefined,
): { after: string | undefined; types?: ActivityType[] } {
  // An EventSource sends the URL that it was made with each time that it comes back.
  const resume = header('last-event-id') || after
  return types === undefined ? { after: resume } : { after: resume, types: types.split(',').map(typeOf) }
}

function typeOf(name: string): ActivityType {
  const { data } = ActivityType.safeParse(name)
  if (data !== undefined) return data
  const known = ActivityType.options.join(', ')
  throw new SkilletError('bad_request', `"${name}" is not a type of event. There are ${known}.`)
}

/** All who follow a tenant get the same object: it becomes a frame once. */
const frames = new WeakMap<Activity, Buffer>()

function frameOf(activity: Activity, cursors: Services['cursors'], tenant: string): Buffer {
  let made = frames.get(activity)
  if (made === undefined) {
    const id = cursors.seal(tenant, activity.id)
    made = Buffer.from(frame(id, activity.type, { ...activity, id }))
    frames.set(activity, made)
  }
  return made
}
