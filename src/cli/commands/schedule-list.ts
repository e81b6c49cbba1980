import { Command } from 'commander'
import type { PageOptions } from '../../model/page.ts'
import type { Api } from '../api.ts'
import { type Cli, action } from '../call.ts'
import { table } from '../table.ts'
import { limitOption, moreText } from './run-list.ts'

export function scheduleListCommand(cli: Cli): Command {
  return new Command('list')
    .description('list the schedules of all stages')
    .addOption(limitOption())
    .option('--cursor <cursor>', 'where the page before ended')
    .action(
      action<PageOptions>(cli, async (call) => {
        const { limit, cursor } = call.options
        const api = call.api()
        const page = await api.listSchedules({ limit, cursor })
        if (call.options.json === true) return call.show(page, () => '')
        const names = await namesOf(api, new Set(page.items.map(({ skill }) => skill)))
        const rows = page.items.map(({ stage, cron, zone, enabled, next_at, last }) => [
          names.get(stage) ?? stage,
          cron,
          zone,
          enabled ? next_at : 'paused',
          last?.outcome ?? null,
          last?.scheduled_for ?? null,
        ])
        const header = ['STAGE', 'CRON', 'ZONE', 'NEXT', 'LAST', 'LAST INSTANT']
        call.show(page, () => table(header, rows) + moreText(page.next))
      }),
    )
}

/** Stages of skills as skill/stage, by their ids. */
async function namesOf(api: Api, skills: ReadonlySet<string>): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  for (const id of skills) {
    const [skill, stages] = await Promise.all([api.findSkill(id), api.listStages(id)])
    for (const stage of stages.items) names.set(stage.id, `${skill.name}/${stage.name}`)
  }
  return names
}
