import type { SessionInfo } from '../model/sessions.ts'
import type { Api } from './api.ts'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'
import { duration, table } from './table.ts'

/** Ids of stages with the names that people know them by, as `skill/stage`. What has gone keeps its id. */
export async function stageNames(api: Api, sessions: readonly SessionInfo[]): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  for (const id of new Set(sessions.map(({ skill }) => skill))) {
    try {
      const [skill, stages] = [await api.findSkill(id), await api.listStages(id)]
      for (const stage of stages.items) names.set(stage.id, `${skill.name}/${stage.name}`)
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== EXIT.notFound) throw error
    }
  }
  return names
}

export function sessionText(sessions: readonly SessionInfo[], names: ReadonlyMap<string, string>): string {
  const rows = sessions.map((one) => [
    one.id,
    one.state,
    names.get(one.stage) ?? `${one.skill}/${one.stage}`,
    one.version,
    one.runs,
    duration(one.age_ms),
    duration(one.idle_ms),
    `${one.memory_mb} MB`,
    one.network ? 'yes' : 'no',
  ])
  return table(['SESSION', 'STATE', 'STAGE', 'VERSION', 'RUNS', 'AGE', 'IDLE', 'LIMIT', 'NETWORK'], rows)
}
