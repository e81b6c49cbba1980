import type { ErrorCode } from '../model/error-catalogue.ts'
import { type Problem, SkilletError } from '../model/errors.ts'

/** What a worker thread says to its pool. */
export type FromThread =
  /** Once, when it can take requests. */
  { readonly ready: true } | { readonly value: unknown } | { readonly error: WireError }

/** An error as it crosses the thread: structured clone alone would drop its class and its fields. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly skillet?: { code: ErrorCode; problems: readonly Problem[]; data: Record<string, unknown> }
}

export function toWire(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined }
  const { name, message, stack } = error
  if (!(error instanceof SkilletError)) return { name, message, stack }
  return { name, message, stack, skillet: { code: error.code, problems: error.problems, data: { ...error.data } } }
}

export function fromWire({ name, message, stack, skillet }: WireError): Error {
  const error =
    skillet === undefined
      ? Object.assign(new Error(message), { name })
      : new SkilletError(skillet.code, message, { problems: skillet.problems, data: skillet.data })
  if (stack !== undefined) error.stack = stack
  return error
}
