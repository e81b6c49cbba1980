import { Command, Option } from 'commander'
import type { UsageRow, UsageTotals } from '../../model/quotas.ts'
import type { UsageQuery } from '../api-quota.ts'
import { type Cli, action } from '../call.ts'
import { bytes, table } from '../table.ts'

interface Options extends Omit<UsageQuery, 'group_by'> {
  readonly by: UsageQuery['group_by']
}

export function usageCommand(cli: Cli): Command {
  return new Command('usage')
    .description('what was used, summed up by day, skill or stage')
    .option('--from <day>', 'first day, as 2026-11-21; default: the first of the month')
    .option('--to <day>', 'last day; default: today')
    .option('--skill <skill>', 'name or id: only of this skill')
    .option('--stage <stage>', 'id, or with --skill its name: only of this stage')
    .addOption(new Option('--by <what>', 'what is summed up').choices(['day', 'skill', 'stage']).default('day'))
    .action(
      action<Options>(cli, async (call) => {
        const { by, from, to, skill, stage } = call.options
        const report = await call.api().usage({ from, to, skill, stage, group_by: by })
        call.show(report, () => {
          const span = `${report.from} to ${report.to}, ${report.zone}`
          if (report.items.length === 0) return `Nothing was used from ${span}.\n`
          const rows = report.items.map((row) => [nameOf(row), ...amounts(row)])
          const header = [
            by.toUpperCase(),
            'RUNS',
            'FAILED',
            'CANCELLED',
            'THROTTLED',
            'MINUTES',
            'CPU MINUTES',
            'PEAK MEMORY',
          ]
          return `${table(header, [...rows, ['total', ...amounts(report.totals)]])}From ${span}.\n`
        })
      }),
    )
}

/** A day, a skill, or a skill and its stage; what was deleted keeps its id. */
function nameOf({ day, skill, skill_name, stage, stage_name }: UsageRow): string {
  if (day !== null) return day
  const name = skill_name ?? skill ?? ''
  return stage === null ? name : `${name}/${stage_name ?? stage}`
}

function amounts(sums: UsageTotals): (string | number)[] {
  const { runs, failed, cancelled, throttled, billable_ms, cpu_ms, peak_memory_bytes } = sums
  return [runs, failed, cancelled, throttled, minutes(billable_ms), minutes(cpu_ms), bytes(peak_memory_bytes)]
}

const minutes = (ms: number): number => Math.round(ms / 600) / 100
