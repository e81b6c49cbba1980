import { once } from 'node:events'
import { type Pack, pack } from 'tar-stream'

/** One member of a tar; its content is read when its turn comes. */
export interface TarMember {
  readonly name: string
  readonly size: number
  readonly content: () => AsyncIterable<Uint8Array>
}

/**
 * A tar as it is read, no faster: private regular files of one time.
 * @param onEnd Called once, in whatever way it ends: read, given up by its reader, failed, or aborted.
 */
export function tarStream(
  members: Iterable<TarMember>,
  options: { readonly mtime: Date; readonly signal: AbortSignal; readonly onEnd: () => void },
): ReadableStream<Uint8Array> {
  const { mtime, signal, onEnd } = options
  const tar = pack()
  const chunks = tar[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  let filling: Promise<void> | null = null
  // What it is destroyed with reaches its reader through `chunks`, if there is one still.
  tar.on('error', () => {})

  /** Fills it; what goes wrong is what its reader gets. */
  async function fill(): Promise<void> {
    try {
      for (const member of members) await write(tar, member, mtime)
      tar.finalize()
    } catch (error) {
      tar.destroy(error as Error)
    }
  }

  let over = false
  async function end(error?: unknown): Promise<void> {
    if (over) return
    over = true
    signal.removeEventListener('abort', abort)
    tar.destroy(error === undefined ? undefined : (error as Error))
    await filling
    onEnd()
  }
  const abort = (): void => void end(signal.reason)

  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        filling ??= fill()
        try {
          const { value, done } = await chunks.next()
          if (done !== true) return controller.enqueue(value)
          // One that was destroyed without an error ends as well.
          signal.throwIfAborted()
        } catch (error) {
          await end(error)
          throw error
        }
        await end()
        controller.close()
      },
      cancel: (reason) => end(reason),
    },
    { highWaterMark: 0 },
  )
}

async function write(tar: Pack, { name, size, content }: TarMember, mtime: Date): Promise<void> {
  const written = Promise.withResolvers<void>()
  // Told of below; a failure between two chunks must not end the process.
  written.promise.catch(() => {})
  const gaveUp = new AbortController()
  const sink = tar.entry({ name, size, mtime, mode: 0o600, type: 'file' }, (error) => {
    if (error === null || error === undefined) return written.resolve()
    written.reject(error)
    gaveUp.abort(error)
  })
  // Told by the callback above.
  sink.on('error', () => {})
  for await (const chunk of content()) {
    gaveUp.signal.throwIfAborted()
    if (!sink.write(chunk)) await once(sink, 'drain', { signal: gaveUp.signal })
  }
  sink.end(null)
  await written.promise
}
