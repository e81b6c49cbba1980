export interface Column {
  name: string
  type: 'number' | 'date' | 'boolean' | 'text' | 'empty'
  missing: number
  distinct: number
  min?: number | string
  max?: number | string
  mean?: number
  median?: number
  quartiles?: [number, number]
  most_frequent?: { value: string; count: number }[]
}

const MISSING = new Set(['', 'na', 'n/a', 'null', 'none', '-'])
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const DATE = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/
const BOOLEAN = /^(true|false|yes|no)$/i

/** What the values of one column are, and how they are spread. A column has a type if all its present values do. */
export function profileColumn(name: string, values: readonly string[], top: number): Column {
  const present = values.filter((value) => !MISSING.has(value.toLowerCase()))
  const counts = new Map<string, number>()
  for (const value of present) counts.set(value, (counts.get(value) ?? 0) + 1)
  const type = typeOf(present)
  const column: Column = { name, type, missing: values.length - present.length, distinct: counts.size }
  if (type === 'number') return { ...column, ...spread(present.map(Number)) }
  if (type === 'date') {
    const dates = present.toSorted()
    return { ...column, min: dates[0]!, max: dates.at(-1)! }
  }
  return type === 'empty' ? column : { ...column, most_frequent: mostFrequent(counts, top) }
}

function typeOf(values: readonly string[]): Column['type'] {
  if (values.length === 0) return 'empty'
  const all = (pattern: RegExp): boolean => values.every((value) => pattern.test(value))
  if (all(NUMBER)) return 'number'
  if (all(DATE)) return 'date'
  return all(BOOLEAN) ? 'boolean' : 'text'
}

function spread(numbers: readonly number[]): Pick<Column, 'min' | 'max' | 'mean' | 'median' | 'quartiles'> {
  const sorted = numbers.toSorted((a, b) => a - b)
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length
  return {
    min: sorted[0]!,
    max: sorted.at(-1)!,
    mean: round(mean),
    median: round(quantile(sorted, 0.5)),
    quartiles: [round(quantile(sorted, 0.25)), round(quantile(sorted, 0.75))],
  }
}

/** Linear between the neighbours, as spreadsheets do it. */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)]!
  const high = sorted[Math.ceil(at)]!
  return low + (high - low) * (at - Math.floor(at))
}

function mostFrequent(counts: ReadonlyMap<string, number>, top: number): { value: string; count: number }[] {
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, top)
}

const round = (number: number): number => Number(number.toPrecision(12))
