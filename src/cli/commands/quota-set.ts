import { Command, InvalidArgumentError } from 'commander'
import type { CapName, Caps } from '../../model/quotas.ts'
import type { Api } from '../api.ts'
import type { CeilingView, QuotaView } from '../api-quota.ts'
import { type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'
import { quotaText } from '../quota-text.ts'

type Amount = number | 'none'
interface Options {
  readonly skill?: string
  readonly tenant?: string
  readonly runsPerDay?: Amount
  readonly runsPerMonth?: Amount
  readonly minutesPerDay?: Amount
  readonly minutesPerMonth?: Amount
  readonly concurrent?: Amount
}

export function quotaSetCommand(cli: Cli): Command {
  return new Command('set')
    .description('cap the runs of the tenant or of a skill; caps that are not named stay as they are')
    .option('--skill <skill>', 'name or id: only of this skill')
    .option('--tenant <tenant>', 'name or id, for the operator: the most that this tenant may use')
    .option('--runs-per-day <count>', 'runs begun in a calendar day, or none', amount)
    .option('--runs-per-month <count>', 'runs begun in a calendar month, or none', amount)
    .option('--minutes-per-day <minutes>', 'minutes executed in a calendar day, or none', amount)
    .option('--minutes-per-month <minutes>', 'minutes executed in a calendar month, or none', amount)
    .option('--concurrent <count>', 'runs at once, or none', amount)
    .action(
      action<Options>(cli, async (call) => {
        const { skill, tenant } = call.options
        if (skill !== undefined && tenant !== undefined) {
          throw usageError('--skill and --tenant exclude each other.', 'An operator caps tenants, an owner its skills.')
        }
        const changes = changesOf(call.options)
        if (Object.keys(changes).length === 0) {
          throw usageError('No cap is named.', 'Give one, such as --runs-per-day 1000, or --runs-per-day none.')
        }
        const api = call.api(tenant === undefined ? 'owner' : 'operator')
        const view = await put(api, { skill, tenant }, changes)
        call.show(view, await quotaText(api, view))
      }),
    )
}

async function put(
  api: Api,
  { skill, tenant }: { readonly skill: string | undefined; readonly tenant: string | undefined },
  changes: Caps,
): Promise<QuotaView | CeilingView> {
  if (tenant !== undefined) {
    const { ceiling } = await api.findCeiling(tenant)
    return api.putCeiling(tenant, { ...ceiling, ...changes })
  }
  if (skill === undefined) return api.putQuota({ ...(await api.findQuota()).caps, ...changes })
  const { id } = await api.findSkill(skill)
  const before = (await api.findQuota()).skills.find((one) => one.skill === id)
  return api.putSkillQuota(id, { ...before?.caps, ...changes })
}

function changesOf(options: Options): Caps {
  const named: [CapName, Amount | undefined][] = [
    ['runs_per_day', options.runsPerDay],
    ['runs_per_month', options.runsPerMonth],
    ['minutes_per_day', options.minutesPerDay],
    ['minutes_per_month', options.minutesPerMonth],
    ['concurrent_runs', options.concurrent],
  ]
  const given = named.filter(([, value]) => value !== undefined)
  return Object.fromEntries(given.map(([name, value]) => [name, value === 'none' ? null : value]))
}

function amount(text: string): Amount {
  if (text === 'none') return 'none'
  if (/^\d{1,10}$/.test(text) && Number(text) <= 1e9) return Number(text)
  throw new InvalidArgumentError('It is neither a whole number up to 1000000000 nor "none".')
}
