import { Command, Option } from 'commander'
import type { Schedule } from '../../model/schedules.ts'
import type { SchedulePut } from '../api-schedule.ts'
import { type Call, type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'
import { readInput } from '../run-input.ts'
import { type ScheduleOptions, addScheduleOptions, specOf } from '../schedule-options.ts'
import { scheduleText, viewSchedule } from '../schedule-text.ts'

interface Options extends ScheduleOptions {
  readonly input?: string
  readonly inputFile?: string
}

export function scheduleSetCommand(cli: Cli): Command {
  const command = new Command('set')
    .description('run a stage by the clock; what is not named stays as it is')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name')
  return addScheduleOptions(command)
    .option('--input <json>', 'what each run is given: JSON, @file, or - for stdin; default {}')
    .addOption(new Option('--input-file <path>', 'a file that holds it').conflicts('input'))
    .action(action<Options>(cli, set))
}

async function set(call: Call<Options>, skill: string, stage: string): Promise<void> {
  const { input, inputFile } = call.options
  const said = specOf(call.options)
  const given = inputFile === undefined ? input : `@${inputFile}`
  const more = given === undefined ? {} : { input: await readInput(given, call.io) }
  const api = call.api()
  const before = await api.findSchedule(skill, stage)
  const cron = said.cron ?? before?.cron
  if (cron === undefined) {
    throw usageError(`There is no schedule of ${skill}/${stage} yet.`, 'Say when: --cron "0 6 * * MON-FRI".')
  }
  const kept = before === null ? {} : keptOf(before)
  const schedule = await api.putSchedule(skill, stage, {
    ...kept,
    ...said,
    ...more,
    cron,
    revision: before?.revision ?? 0,
  })
  const view = await viewSchedule(api, skill, stage, schedule)
  call.show(schedule, () => scheduleText(view))
}

function keptOf(before: Schedule): Partial<SchedulePut> {
  const { enabled, zone, input, starts_at, ends_at, jitter_s, overlap, catch_up, catch_up_window_s } = before
  return { enabled, zone, input, starts_at, ends_at, jitter_s, overlap, catch_up, catch_up_window_s }
}
