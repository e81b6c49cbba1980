import type { Delivery, Webhook } from '../model/webhooks.ts'

export function webhookText(webhook: Webhook): string {
  const { url, secret, events, enabled, disabled_reason, failing_since, revision, updated_at } = webhook
  const why =
    disabled_reason === null
      ? ''
      : `: ${disabled_reason === 'gone' ? 'its endpoint answered 410' : 'it failed for days'}`
  return [
    `url       ${url}`,
    `secret    ${secret}`,
    `events    ${events.join(', ')}`,
    `state     ${enabled ? 'enabled' : `disabled${why}`}`,
    ...(failing_since === null ? [] : [`failing   since ${failing_since}`]),
    `revision  ${revision}, since ${updated_at}`,
    '',
  ].join('\n')
}

export function deliveryText(delivery: Delivery): string {
  const { id, event, run, status, reason, next_attempt_at, created_at, finished_at, attempts } = delivery
  return [
    `${id}  ${event}  ${status}${reason === null ? '' : `: the webhook was ${WAS[reason]}`}`,
    `run       ${run ?? '-'}`,
    `created   ${created_at}${finished_at === null ? '' : `, finished ${finished_at}`}`,
    ...(next_attempt_at === null ? [] : [`next      ${next_attempt_at}`]),
    ...attempts.map(({ at, ms, status: code, error }) =>
      `attempt   ${at}  ${code ?? '-'}  ${ms} ms  ${error ?? ''}`.trimEnd(),
    ),
    '',
  ].join('\n')
}

const WAS = {
  deleted: 'deleted',
  disabled: 'disabled',
  gone: 'disabled, as its endpoint answered 410',
  failing: 'disabled, as it failed for days',
} as const satisfies Record<NonNullable<Delivery['reason']>, string>
