import { type Command, InvalidArgumentError, Option } from 'commander'
import { RetryPolicy, RetryReason } from '../model/skills.ts'
import { usageError } from './cli-error.ts'

/** What a command line says of retries. */
export interface RetryOptions {
  /** False: --no-retry. */
  readonly retry?: boolean
  readonly retryAttempts?: number
  readonly retryBackoff?: number
  readonly retryFactor?: number
  readonly retryMaxBackoff?: number
  readonly retryOn?: RetryReason[]
}

export function addRetryOptions(command: Command): Command {
  return command
    .option('--retry-attempts <count>', 'executions of a run that fails, the first one counted: 1 to 10', number)
    .option('--retry-backoff <seconds>', 'wait before the second attempt; default 1', number)
    .option('--retry-factor <factor>', 'each further wait is so many times longer; default 2', number)
    .option('--retry-max-backoff <seconds>', 'longest wait; default 300', number)
    .addOption(new Option('--retry-on <reason...>', 'which failures are tried again').choices(RetryReason.options))
    .option('--no-retry', 'a run that failed is not tried again')
}

/** @returns What is to be in the configuration: nothing where there are no retries. Null: nothing is asked for. @throws CliError when it cannot be */
export function changedRetry(
  before: RetryPolicy | undefined,
  options: RetryOptions,
): { readonly retry?: RetryPolicy } | null {
  const asked = Object.entries({
    attempts: options.retryAttempts,
    backoff_s: options.retryBackoff,
    factor: options.retryFactor,
    max_backoff_s: options.retryMaxBackoff,
    reasons: options.retryOn,
  }).filter(([, value]) => value !== undefined)
  if (options.retry === false) {
    if (asked.length > 0)
      throw usageError('--no-retry excludes other options of retries.', 'Leave out one or the other.')
    return {}
  }
  if (asked.length === 0) return null
  const { data, error } = RetryPolicy.safeParse({ ...before, ...Object.fromEntries(asked) })
  if (data !== undefined) return { retry: data }
  const { path, message } = error.issues[0]!
  const option = OPTION_OF[String(path[0])] ?? '--retry-attempts'
  throw usageError(`${option}: ${message}.`, 'skillet stage config --help shows what is allowed.')
}

const OPTION_OF: Readonly<Record<string, string>> = {
  attempts: '--retry-attempts',
  backoff_s: '--retry-backoff',
  factor: '--retry-factor',
  max_backoff_s: '--retry-max-backoff',
  reasons: '--retry-on',
}

function number(text: string): number {
  if (/^\d{1,6}(\.\d{1,6})?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a number.')
}
