import type { Row } from './rows.ts'
import type { Sample } from './stats.ts'

/** Prints the rows for people: figure, budget, and whether it was met. */
export function printTable(report: {
  baseline_ms: Record<string, Sample>
  rows: readonly Row[]
  measured: string
  machine: object
}): void {
  console.log(`Measured: ${report.measured}.`)
  for (const [name, { median, p99 }] of Object.entries(report.baseline_ms)) {
    console.log(`${`bare ${name}`.padEnd(46)} median ${pad(median)} ms   p99 ${pad(p99)} ms`)
  }
  for (const row of report.rows) console.log(line(row))
  console.log(JSON.stringify(report.machine))
}

function line(row: Row): string {
  const { figure, unit, budget } = row
  const shown =
    typeof figure === 'number'
      ? `       ${pad(figure)} ${unit}`
      : `median ${pad(figure.median)} ${unit}   p99 ${pad(figure.p99)} ${unit}   n ${figure.n}`
  const wrong = misses(row)
  const limits = [
    budget.median === undefined ? '' : `median ${budget.median}`,
    budget.p99 === undefined ? '' : `p99 ${budget.p99}`,
    budget.atMost === undefined ? '' : `at most ${budget.atMost}`,
    budget.atLeast === undefined ? '' : `at least ${budget.atLeast}`,
  ].filter((limit) => limit !== '')
  const met = limits.length === 0 ? '' : wrong.length === 0 ? 'met' : `MISSED (${wrong.join(', ')})`
  return `${row.name.padEnd(46)} ${shown.padEnd(48)} ${limits.join(', ').padEnd(18)} ${met}`.trimEnd()
}

function misses({ figure, budget }: Row): string[] {
  if (typeof figure === 'number') {
    return (budget.atLeast !== undefined && figure < budget.atLeast) ||
      (budget.atMost !== undefined && figure > budget.atMost)
      ? ['figure']
      : []
  }
  return [
    ...(budget.median !== undefined && figure.median > budget.median ? ['median'] : []),
    ...(budget.p99 !== undefined && figure.p99 > budget.p99 ? ['p99'] : []),
  ]
}

const pad = (value: number): string => value.toFixed(2).padStart(8)
