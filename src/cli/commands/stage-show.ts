import { Command } from 'commander'
import type { Stage } from '../../model/skills.ts'
import type { Api } from '../api.ts'
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
        const [shown] = await servedBy(api, [stage])
        call.show({ ...shown!, history }, () => {
          const rows = history.map(({ at, kind, version, deployment, by }) => [at, kind, version, deployment, by])
          const past =
            rows.length === 0 ? '' : `\n${table(['SINCE', 'BY WAY OF', 'VERSION', 'DEPLOYMENT', 'BY'], rows)}`
          return `${stageTable([shown!])}\nconfiguration ${JSON.stringify(stage.config, null, 2)}\n${past}`
        })
      }),
    )
}

/** A stage, and what it serves. */
type ServingStage = Stage & { readonly serves: { readonly version: string; readonly runtime: string } | null }

export function servedBy(api: Api, stages: readonly Stage[]): Promise<ServingStage[]> {
  return Promise.all(
    stages.map(async (stage) => {
      if (stage.deployment === null) return { ...stage, serves: null }
      const { version, runtime } = await api.deployment(stage.skill, stage.id)
      return { ...stage, serves: { version, runtime } }
    }),
  )
}

export function stageTable(stages: readonly ServingStage[]): string {
  return table(
    ['STAGE', 'STATE', 'VERSION', 'RUNTIME', 'DEPLOYMENT', 'UPDATED'],
    stages.map(({ name, state, paused, serves, deployment, updated_at }) => [
      name,
      paused ? `${state}, paused` : state,
      serves?.version ?? null,
      serves?.runtime ?? null,
      deployment,
      updated_at,
    ]),
  )
}
