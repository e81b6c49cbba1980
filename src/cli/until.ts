import { InvalidArgumentError, Option } from 'commander'

/** `--until`, as an instant. */
export function untilOption(): Option {
  return new Option(
    '--until <date>',
    'last day (YYYY-MM-DD, UTC), or an instant (RFC 3339); default: for ever',
  ).argParser((text) => instantOf(text, 'end'))
}

/** @param day Which moment of it a day stands for, when no instant is given. @throws InvalidArgumentError when it is neither */
export function instantOf(text: string, day: 'beginning' | 'end'): string {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const at = isDay || /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/i.test(text) ? Date.parse(text) : NaN
  // Date.parse takes 31 April for 1 May.
  if (Number.isNaN(at) || (isDay && new Date(at).toISOString().slice(0, 10) !== text)) {
    throw new InvalidArgumentError(
      'It is neither a day such as 2026-12-31 nor an instant such as 2026-12-31T12:00:00Z.',
    )
  }
  return new Date(isDay && day === 'end' ? at + DAY : at).toISOString()
}

const DAY = 86_400_000
