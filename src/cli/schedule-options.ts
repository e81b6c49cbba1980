import { type Command, InvalidArgumentError, Option } from 'commander'
import { ScheduleSpec } from '../model/schedules.ts'
import { instantOf } from './until.ts'

/** When a schedule fires, as a command line says it. Start and end: an instant, or NONE. */
export interface TimingOptions {
  readonly zone?: string
  readonly starts?: string
  readonly ends?: string
}

export interface ScheduleOptions extends TimingOptions {
  readonly cron?: string
  readonly jitter?: number
  readonly overlap?: ScheduleSpec['overlap']
  readonly catchUp?: ScheduleSpec['catch_up']
  readonly catchUpWindow?: number
  readonly disabled?: boolean
}

export function addTimingOptions(command: Command): Command {
  return command
    .option('--zone <zone>', "IANA zone whose clocks are meant, such as Europe/Berlin; default: the tenant's")
    .option('--starts <when>', 'first day (YYYY-MM-DD, UTC) or instant (RFC 3339), or none', when('beginning'))
    .option(
      '--ends <when>',
      'last day (YYYY-MM-DD, UTC) or the instant from which on nothing fires, or none',
      when('end'),
    )
}

export function addScheduleOptions(command: Command): Command {
  const { overlap, catch_up } = ScheduleSpec.shape
  return addTimingOptions(
    command.option('--cron <expression>', 'minute, hour, day of month, month, weekday, such as "0 6 * * MON-FRI"'),
  )
    .option('--jitter <seconds>', 'put each fire off by up to so many seconds; default 0', seconds)
    .addOption(
      new Option('--overlap <policy>', 'while an earlier run is not over; default skip').choices(
        overlap.unwrap().options,
      ),
    )
    .addOption(
      new Option('--catch-up <policy>', 'of fires that were missed, make up for the latest or none').choices(
        catch_up.unwrap().options,
      ),
    )
    .option('--catch-up-window <seconds>', 'what was missed longer ago is not made up for; default 3600', seconds)
    .option('--disabled', 'let nothing fire until it is resumed')
}

export const countOption = (): Option =>
  new Option('--count <count>', 'so many times, 1 to 100').default(5).argParser((text) => {
    const count = Number(text)
    if (Number.isInteger(count) && count >= 1 && count <= 100) return count
    throw new InvalidArgumentError('It is not a whole number from 1 to 100.')
  })

/** What the options say, and nothing of what they leave out. */
export function specOf(options: ScheduleOptions): Partial<ScheduleSpec> {
  const { cron, jitter, overlap, catchUp, catchUpWindow, disabled } = options
  return {
    ...timingOf(options),
    ...(cron !== undefined && { cron }),
    ...(jitter !== undefined && { jitter_s: jitter }),
    ...(overlap !== undefined && { overlap }),
    ...(catchUp !== undefined && { catch_up: catchUp }),
    ...(catchUpWindow !== undefined && { catch_up_window_s: catchUpWindow }),
    ...(disabled === true && { enabled: false }),
  }
}

export function timingOf({
  zone,
  starts,
  ends,
}: TimingOptions): Partial<Pick<ScheduleSpec, 'zone' | 'starts_at' | 'ends_at'>> {
  return {
    ...(zone !== undefined && { zone }),
    ...(starts !== undefined && { starts_at: orNull(starts) }),
    ...(ends !== undefined && { ends_at: orNull(ends) }),
  }
}

const when =
  (day: 'beginning' | 'end') =>
  (text: string): string =>
    text === NONE ? NONE : instantOf(text, day)

/** Takes a start or an end away. */
const NONE = 'none'
const orNull = (text: string): string | null => (text === NONE ? null : text)

function seconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a whole number of seconds.')
}
