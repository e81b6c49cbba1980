import { Command, InvalidArgumentError, Option } from 'commander'
import { SizeName } from '../../model/packages.ts'
import type { StageConfig } from '../../model/skills.ts'
import { type Cli, action } from '../call.ts'
import { type RetryOptions, addRetryOptions, changedRetry } from '../retry-options.ts'

interface Options extends RetryOptions {
  readonly size?: StageConfig['size']
  readonly timeout?: number
  readonly isolation?: StageConfig['isolation']
  readonly env?: Record<string, string>
  readonly unset?: string[]
  readonly network?: string[]
  /** NAME to a secret, or to null where it is to go. */
  readonly secret?: Record<string, string | null>
}

export function stageConfigCommand(cli: Cli): Command {
  const command = new Command('config')
    .description('show or change the configuration of a stage; the next deploy freezes it')
    .argument('<skill>', 'name or id')
    .argument('<stage>', 'name')
    .addOption(new Option('--size <size>', 'memory and time of a run').choices(SizeName.options))
    .option('--timeout <seconds>', 'wall time of a run', seconds)
    .addOption(
      new Option('--isolation <kind>', 'warm sandboxes, or a new one for each run').choices(['session', 'fresh']),
    )
    .option('--env <NAME=value>', 'set an environment variable; repeatable', variable)
    .option('--unset <name...>', 'remove environment variables')
    .option('--secret <NAME=secret>', 'set an environment variable to the value of a secret; repeatable', secretRef)
    .option('--no-secret <NAME>', 'remove a variable that is a secret; repeatable', noSecretRef)
    .option('--network <domain...>', 'the domains that the skill may reach')
  return addRetryOptions(command).action(
    action<Options>(cli, async (call, skill, name) => {
      const api = call.api()
      const { config, revision } = await api.findStage(skill, name)
      const changed = changedConfig(config, call.options)
      if (changed === null) return call.show(config, () => `${JSON.stringify(config, null, 2)}\n`)
      const stage = await api.putStage(skill, name, changed, revision)
      call.show(
        stage.config,
        () => `${JSON.stringify(stage.config, null, 2)}\nThe next deploy freezes it: skillet deploy\n`,
      )
    }),
  )
}

/** Null when nothing is asked for. */
function changedConfig(config: StageConfig, options: Options): StageConfig | null {
  const { size, timeout, isolation, env, unset, network, secret } = options
  const retries = changedRetry(config.retry, options)
  const plain = [size, timeout, isolation, env, unset, network, secret]
  if (retries === null && plain.every((option) => option === undefined)) return null
  const { retry, ...rest } = config
  const kept = Object.entries({ ...config.env, ...env }).filter(([key]) => !(unset ?? []).includes(key))
  return {
    ...rest,
    ...(retries ?? (retry && { retry })),
    ...(size && { size }),
    ...(timeout !== undefined && { timeout_s: timeout }),
    ...(isolation && { isolation }),
    ...((env !== undefined || unset !== undefined) && { env: Object.fromEntries(kept) }),
    ...(secret && { secret_refs: changedRefs(config.secret_refs, secret) }),
    ...(network && { network }),
  }
}

function changedRefs(
  refs: StageConfig['secret_refs'],
  change: Record<string, string | null>,
): StageConfig['secret_refs'] {
  const merged = Object.entries({ ...refs, ...change })
  return Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null))
}

function seconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a whole number of seconds.')
}

function variable(text: string, before: Record<string, string> | undefined): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It is not of the form NAME=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/** Both options count up in one table, in the order in which they were given. */
function secretRef(text: string, before: Options['secret']): Options['secret'] {
  return { ...before, ...variable(text, undefined) }
}

function noSecretRef(name: string, before: Options['secret']): Options['secret'] {
  return { ...before, [name]: null }
}
