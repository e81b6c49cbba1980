/** What a handler answers with that is sent as it happens, as server-sent events. */
export interface Live {
  /** Sent at once, before anything happens. */
  readonly first?: string
  /** Each one a frame, until there are no more or the signal says to stop. */
  follow(signal: AbortSignal): AsyncIterable<object>
  frameOf(item: object): string | Uint8Array
}

/** A stream of what `follow` brings, its types checked and then forgotten. */
export function live<T extends object>(
  follow: (signal: AbortSignal) => AsyncIterable<T>,
  frameOf: (item: T) => string | Uint8Array,
  first?: string,
): Live {
  return { follow, frameOf, ...(first !== undefined && { first }) }
}

/** An event as it is sent. JSON has no line breaks, so one `data` line holds it. */
export function frame(id: string | number, event: string, data: unknown): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
