import type { CapName, QuotaState } from '../model/quotas.ts'

/** Response headers of an invocation, as the document describes them. */
export const RATE_LIMIT_HEADERS = {
  'RateLimit-Policy':
    'The caps that hold for the tenant and this skill, most restrictive first (draft-ietf-httpapi-ratelimit-headers). Missing where there are none.',
  RateLimit: 'What is left of each (`r`), and in how many seconds it is there again (`t`).',
} as const

/** Windows are calendar ones in the tenant's zone; these are a plain day and the longest month. */
const PARAMETERS: Record<CapName, string> = {
  runs_per_day: 'w=86400',
  runs_per_month: 'w=2678400',
  minutes_per_day: 'qu="minutes";w=86400',
  minutes_per_month: 'qu="minutes";w=2678400',
  concurrent_runs: 'qu="concurrent-requests"',
}

/** Structured fields (RFC 9651) that say where a caller stands; none where nothing is capped. @param at Milliseconds since 1970. */
export function rateLimitFields(states: readonly QuotaState[], at: number): Record<string, string> {
  if (states.length === 0) return {}
  const limits = states
    .flatMap(({ skill, caps }) => caps.map((state) => ({ ...state, name: nameOf(state.cap, skill) })))
    .map((state) => ({ ...state, left: Math.max(0, Math.floor(state.limit - state.used)) }))
    .toSorted((a, b) => share(a) - share(b))
  return {
    'ratelimit-policy': limits.map(({ name, cap, limit }) => `"${name}";q=${limit};${PARAMETERS[cap]}`).join(', '),
    ratelimit: limits.map(({ name, left, resets_at }) => `"${name}";r=${left}${resetOf(resets_at, at)}`).join(', '),
  }
}

function nameOf(cap: CapName, skill: string | null): string {
  const name = cap.replaceAll('_', '-')
  return skill === null ? name : `skill-${name}`
}

/** What is left, as a part of the whole. */
const share = ({ left, limit }: { left: number; limit: number }): number => (limit === 0 ? 0 : left / limit)

function resetOf(resetsAt: string | null, at: number): string {
  return resetsAt === null ? '' : `;t=${Math.max(0, Math.ceil((Date.parse(resetsAt) - at) / 1000))}`
}
