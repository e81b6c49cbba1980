import { open } from 'node:fs/promises'
import { SkilletError } from '../../model/errors.ts'

/**
 * Streams into a new file and syncs it; stops at the first byte too many.
 * @returns How many bytes it has.
 * @throws SkilletError upload_too_large over `maxBytes`, upload_size_mismatch when it is not `size`; the signal's reason when aborted.
 */
export async function writeIncoming(
  file: string,
  source: AsyncIterable<Uint8Array>,
  options: { readonly maxBytes: number; readonly size: number | undefined; readonly signal: AbortSignal | undefined },
): Promise<number> {
  const { maxBytes, size: expected = null, signal } = options
  await using handle = await open(file, 'wx', 0o600)
  let size = 0
  for await (const chunk of abortable(source, signal)) {
    size += chunk.length
    if (size > maxBytes) {
      throw new SkilletError('upload_too_large', `The body has more than ${maxBytes} bytes.`, {
        data: { max_bytes: maxBytes },
      })
    }
    if (expected !== null && size > expected) throw wrongSize(`more than ${expected}`, expected)
    await handle.writeFile(chunk)
  }
  if (expected !== null && size !== expected) throw wrongSize(String(size), expected)
  await handle.sync()
  return size
}

/** Makes what was linked or renamed in the folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

function wrongSize(got: string, expected: number): SkilletError {
  return new SkilletError('upload_size_mismatch', `The body has ${got} bytes; ${expected} were announced.`)
}

/** The source until it is aborted: also one that never gives another chunk. */
async function* abortable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  if (signal === undefined) {
    yield* source
    return
  }
  signal.throwIfAborted()
  const chunks = source[Symbol.asyncIterator]()
  // A promise of its own for each step: racing one that lives as long as the stream would keep every chunk in memory until its end.
  let step = Promise.withResolvers<IteratorResult<Uint8Array>>()
  const onAbort = (): void => step.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let pending: Promise<IteratorResult<Uint8Array>> | null = null
  try {
    for (;;) {
      signal.throwIfAborted()
      step = Promise.withResolvers()
      pending = chunks.next()
      pending.then(step.resolve, step.reject)
      const next = await step.promise
      pending = null
      if (next.done === true) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // A source that is being waited for cannot be told to end before it answers: it is left to whoever aborted.
    if (pending === null) await chunks.return?.()
    else pending.catch(() => {})
  }
}
