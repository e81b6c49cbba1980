export interface Sample {
  readonly n: number
  readonly median: number
  readonly p99: number
  readonly min: number
  readonly max: number
}

/** Nearest-rank percentiles of a list of figures. */
export function summarise(values: readonly number[]): Sample {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = (p: number): number => round(sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN)
  return { n: sorted.length, median: rank(0.5), p99: rank(0.99), min: rank(0), max: rank(1) }
}

export const round = (value: number): number => Math.round(value * 100) / 100
