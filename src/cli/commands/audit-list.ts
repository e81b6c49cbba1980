import { Command, Option } from 'commander'
import { AUDIT_ACTIONS, type AuditAction } from '../../model/audit.ts'
import { type Cli, action } from '../call.ts'
import { table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

interface Options {
  readonly limit: number
  readonly cursor?: string
  readonly action?: AuditAction
  readonly actor?: string
  readonly target?: string
  readonly operator?: boolean
}

export function auditListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list who did what, newest first')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .addOption(new Option('--action <action>', 'only this').choices(AUDIT_ACTIONS))
    .option('--actor <id>', 'only what this key or token did')
    .option('--target <id>', 'only what was done to this')
    .option('--operator', "the operator's own log")
    .action(
      action<Options>(cli, async (call) => {
        const { limit, cursor, action: only, actor, target, operator } = call.options
        const api = call.api(operator === true ? 'operator' : undefined)
        const page = await api.listAudit({ limit, cursor, action: only, actor, target })
        call.show(page, () => {
          const rows = page.items.map((event) => [
            String(event.seq),
            event.at,
            event.action,
            event.outcome,
            event.actor,
            event.target,
            event.client,
          ])
          return table(['ROW', 'AT', 'ACTION', 'OUTCOME', 'ACTOR', 'TARGET', 'CLIENT'], rows) + moreText(page.next)
        })
      }),
    )
}
