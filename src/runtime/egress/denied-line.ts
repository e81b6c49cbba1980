import type { DeniedAttempt, DenialReason } from './egress.ts'

/** What the log of a run says of attempts that were refused. */
export function deniedLine(attempt: DeniedAttempt): string {
  const times = attempt.times > 1 ? `, ${attempt.times} times` : ''
  return `network: ${deniedTarget(attempt)} ${WHAT[attempt.why]}${times}`
}

/** `host`, or `host:port` where a connection was tried. */
export const deniedTarget = ({ host, port }: DeniedAttempt): string => (port === null ? host : `${host}:${port}`)

const WHAT: Readonly<Record<DenialReason, string>> = {
  name: 'was refused (not in the network list)',
  port: 'was refused (the network list has the name, with another port)',
  literal: 'was refused (names are reached, not addresses)',
  address: 'was refused (the name has an address that is private or otherwise closed)',
  server_name: 'was refused (TLS for another name than the one that was looked up, or for none)',
  unreachable: 'could not be reached',
  limit: 'was refused (too many connections or names, or too much data)',
}
