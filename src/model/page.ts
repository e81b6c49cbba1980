/** One page of a list. `next` is opaque; null ends the list. Newest first unless said otherwise. */
export interface Page<T> {
  readonly items: T[]
  readonly next: string | null
}

export interface PageOptions {
  /** 1 to 200. */
  readonly limit: number
  readonly cursor?: string | undefined
}
