import { randomBytes } from 'node:crypto'
import { Command, Option } from 'commander'
import { WEBHOOK_EVENTS, type Webhook, type WebhookEvent } from '../../model/webhooks.ts'
import { type Call, type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'
import { webhookText } from '../show-webhook.ts'

interface Options {
  readonly secret?: string
  readonly generateSecret?: string
  readonly event?: WebhookEvent[]
  readonly enable?: boolean
  readonly disable?: boolean
}

export function webhookSetCommand(cli: Cli): Command {
  return new Command('set')
    .description('have a stage tell an endpoint of what happens on it; what is not named stays as it is')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name')
    .argument('[endpoint]', 'URL where messages are sent, with https')
    .addOption(
      new Option('--secret <secret>', 'name, id or path of the secret that signs them').conflicts('generateSecret'),
    )
    .option('--generate-secret <name>', 'make such a secret of that name; it is shown this once')
    .addOption(new Option('--event <event...>', 'what it is told of; default: how runs end').choices(WEBHOOK_EVENTS))
    .option('--enable', 'send again, also after the server disabled it')
    .addOption(new Option('--disable', 'send nothing; what waits is cancelled').conflicts('enable'))
    .action(action<Options>(cli, set))
}

async function set(call: Call<Options>, skill: string, stage: string, endpoint?: string): Promise<void> {
  const api = call.api()
  const { generateSecret, ...options } = call.options
  const before = await api.findWebhook(skill, stage)
  const url = endpoint ?? before?.url
  const named = options.secret ?? before?.secret
  if (url === undefined) throw missing(`There is no webhook of ${skill}/${stage} yet.`, 'the URL of its endpoint')
  if (named === undefined && generateSecret === undefined) {
    throw missing('Nothing is sent unsigned.', '--secret or --generate-secret')
  }
  const put = (secret: string): Promise<Webhook> =>
    api.putWebhook(skill, stage, {
      url,
      secret,
      ...((options.event ?? before?.events) && { events: options.event ?? before!.events }),
      enabled: options.disable !== true && (options.enable === true || (before?.enabled ?? true)),
      revision: before?.revision ?? 0,
    })
  if (generateSecret === undefined) {
    const webhook = await put(named!)
    return call.show(webhook, () => webhookText(webhook))
  }

  const value = `whsec_${randomBytes(32).toString('base64')}`
  const made = await api.createSecret({ name: generateSecret, kind: 'value', value })
  let webhook: Webhook
  try {
    webhook = await put(made.id)
  } catch (error) {
    // Nobody has seen it, so nobody misses it.
    await api.deleteSecret(made.id)
    throw error
  }
  call.show({ ...webhook, secret_value: value }, () => {
    call.io.err(
      `${webhookText(webhook)}Secret "${generateSecret}" was made, for the endpoint to verify with. Shown this once:\n`,
    )
    return `${value}\n`
  })
}

function missing(what: string, option: string): Error {
  return usageError(what, `Give ${option}: skillet webhook set <skill> <stage> <endpoint> --secret <name>`)
}
