import { expect, test } from 'vitest'
import { rateLimitFields } from './rate-limit-fields.ts'

const AT = Date.parse('2026-11-21T23:00:00.000Z')
const MIDNIGHT = '2026-11-22T00:00:00.000Z'

test('the most restrictive cap comes first, in the form of the draft', () => {
  const states = [
    {
      skill: null,
      caps: [
        { cap: 'runs_per_month', limit: 1000, used: 10, resets_at: '2026-12-01T00:00:00.000Z' },
        { cap: 'runs_per_day', limit: 50, used: 38, resets_at: MIDNIGHT },
        { cap: 'minutes_per_day', limit: 10, used: 2.34, resets_at: MIDNIGHT },
      ],
    },
    { skill: 'skl_1', caps: [{ cap: 'concurrent_runs', limit: 4, used: 3, resets_at: null }] },
  ] as const
  expect(
    rateLimitFields(
      states.map((state) => ({ ...state, caps: [...state.caps] })),
      AT,
    ),
  ).toEqual({
    'ratelimit-policy':
      '"runs-per-day";q=50;w=86400, "skill-concurrent-runs";q=4;qu="concurrent-requests", ' +
      '"minutes-per-day";q=10;qu="minutes";w=86400, "runs-per-month";q=1000;w=2678400',
    ratelimit:
      '"runs-per-day";r=12;t=3600, "skill-concurrent-runs";r=1, "minutes-per-day";r=7;t=3600, "runs-per-month";r=990;t=781200',
  })
})

test('what is passed leaves nothing, and no more than nothing', () => {
  const caps = [
    { cap: 'minutes_per_day' as const, limit: 1, used: 7.5, resets_at: MIDNIGHT },
    { cap: 'runs_per_day' as const, limit: 0, used: 0, resets_at: '2026-11-21T22:59:59.000Z' },
  ]
  expect(rateLimitFields([{ skill: null, caps }], AT).ratelimit).toBe(
    '"minutes-per-day";r=0;t=3600, "runs-per-day";r=0;t=0',
  )
})

test('nothing where nothing is capped', () => {
  expect(rateLimitFields([], AT)).toEqual({})
})
