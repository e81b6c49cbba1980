import type { Api } from './api.ts'
import type { Call } from './call.ts'
import { CliError, usageError } from './cli-error.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'

export interface BatchOptions {
  readonly all?: boolean
  readonly skill?: string
  readonly stage?: string
}

interface Batch<T> {
  readonly done: T[]
  /** Those that the server refused, and why. */
  readonly failed: { readonly run: string; readonly error: string }[]
}

/**
 * Does the same to one dead letter, or with --all to each of them. Of many, one that is refused does not keep back the others.
 * @throws CliError when one alone is refused, and when the server cannot be asked
 */
export async function deadLettersOf<T>(
  call: Call<BatchOptions>,
  api: Pick<Api, 'listDeadLetters'>,
  id: string | undefined,
  doing: string,
  work: (run: string) => Promise<T>,
): Promise<Batch<T>> {
  const { all, skill, stage } = call.options
  if ((id === undefined) === (all !== true))
    throw usageError('One dead letter, or all?', 'Give the id of a run, or --all.')
  if (id !== undefined) return { done: [await work(id)], failed: [] }
  const batch: Batch<T> = { done: [], failed: [] }
  let cursor: string | undefined
  for (let number = 1; ; number++) {
    const page = await api.listDeadLetters({ skill, stage, limit: 200, cursor })
    if (page.items.length > 0) call.progress.begin(`${doing} dead letters, page ${number}: ${page.items.length}`)
    for (const [i, { id: run }] of page.items.entries()) {
      call.progress.amount(i / page.items.length)
      try {
        batch.done.push(await work(run))
      } catch (error) {
        if (!(error instanceof CliError) || !REFUSALS.has(error.exitCode)) throw error
        batch.failed.push({ run, error: error.message })
      }
    }
    call.progress.end()
    if (page.next === null) return batch
    cursor = page.next
  }
}

export function batchText(done: string, count: number, failed: Batch<unknown>['failed']): string {
  const shown = failed.slice(0, SHOWN).map(({ run, error }) => `${run}: ${error}\n`)
  const more = failed.length > SHOWN ? `and ${failed.length - SHOWN} more; --json has them all\n` : ''
  const refused = failed.length === 0 ? '' : `, ${failed.length} could not be`
  return `${count} ${done}${refused}.\n${shown.join('')}${more}`
}

/** Of this one run; others may fare better. */
const REFUSALS: ReadonlySet<ExitCode> = new Set([EXIT.failed, EXIT.notFound])
/** Refusals that are named. */
const SHOWN = 10
