import type { LimitGroup, Limits } from '../bwrap/limits.ts'

/** Nothing is held and nothing is measured. */
export const NO_LIMITS: Limits = {
  kind: 'none',
  strength: 'none',
  cpuQuota: false,
  create: () => Promise.resolve(UNLIMITED),
}

const UNLIMITED: LimitGroup = {
  join: () => Promise.resolve(),
  begin: () => undefined,
  end: () => ({ cpu_ms: null, peak_memory_bytes: null, oom: false, lowered: false }),
  remove: () => Promise.resolve(),
}
