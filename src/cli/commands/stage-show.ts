import { Command } from 'commander'
import type { Stage } from '../../model/skills.ts'
import { type Cli, action } from '../call.ts'
import { table } from '../table.ts'

export function stageShowCommand(cli: Cli): Command {
  return new Command('show')
    .description('show a stage: its state, its configuration, and what it served')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name or id')
    .action(
      action(cli, async (call, skill, name) => {
        const api = call.api()
        const stage = await api.findStage(skill, name)
        const { items: history } = await api.history(skill, name)
        call.show({ ...stage, history }, () => {
          const rows = history.map(({ at, kind, version, deployment, by }) => [at, kind, version, deployment, by])
          const past =
            rows.length === 0 ? '' : `\n${table(['SINCE', 'BY WAY OF', 'VERSION', 'DEPLOYMENT', 'BY'], rows)}`
          return `${stageTable([stage])}\nconfiguration ${JSON.stringify(stage.config, null, 2)}\n${past}`
        })
      }),
    )
}

export function stageTable(stages: readonly Stage[]): string {
  return table(
    ['STAGE', 'STATE', 'DEPLOYMENT', 'UPDATED'],
    stages.map(({ name, state, paused, deployment, updated_at }) => [
      name,
      paused ? `${state}, paused` : state,
      deployment,
      updated_at,
    ]),
  )
}
