import { Command } from 'commander'
import type { Activity } from '../../model/activity.ts'
import { type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'
import type { Paint } from '../io.ts'
import { clip, duration } from '../table.ts'

export function eventsCommand(cli: Cli): Command {
  return new Command('events')
    .description('follow what happens, until Ctrl-C: how runs go, and what schedules and webhooks do')
    .option('--skill <name>', 'only of this skill')
    .option('--stage <name>', 'only of this stage of it')
    .option('--types <types>', 'only of these types, with commas between them, such as run.result')
    .action(
      action<{ skill?: string; stage?: string; types?: string }>(cli, async (call) => {
        const { skill, stage, types, json } = call.options
        if (stage !== undefined && skill === undefined) {
          throw usageError(
            'A stage is of a skill, and none is named.',
            `skillet events --skill <name> --stage ${stage}`,
          )
        }
        const api = call.api()
        // A skill has no stream of its own, and may be deleted and made again meanwhile: what is printed is that of today.
        const id = skill === undefined ? undefined : (await api.findSkill(skill)).id
        const of = skill === undefined || stage === undefined ? null : { skill, stage }
        for await (const activity of api.followActivity(of, { types })) {
          if (id !== undefined && activity.skill !== id) continue
          call.io.out(json === true ? `${JSON.stringify(activity)}\n` : activityText(activity, call.paint))
        }
      }),
    )
}

/** One line: when, where, of what, what. */
function activityText(activity: Activity, paint: Paint): string {
  const { at, skill_name, stage_name, stage, run } = activity
  const where = `${skill_name}/${stage_name ?? stage}`
  const parts = [
    paint('dim', at.slice(11, 23)),
    where,
    ...(run === null ? [] : [paint('dim', run)]),
    whatText(activity, paint),
  ]
  return `${parts.join('  ')}\n`
}

interface Told {
  readonly status: string
  readonly reason?: string | null
  readonly execution_ms?: number | null
}

function whatText({ type, data }: Activity, paint: Paint): string {
  if (type !== 'run.status' && type !== 'run.result') return `${paint('yellow', type)}  ${clip(JSON.stringify(data))}`
  const { status, reason = null, execution_ms = null } = data as Told
  const style =
    status === 'succeeded' ? 'green' : status === 'failed' ? 'red' : type === 'run.result' ? 'yellow' : 'cyan'
  const why = reason === null ? '' : ` (${reason})`
  return `${paint(style, status)}${why}${execution_ms === null ? '' : `  ${duration(execution_ms)}`}`
}
