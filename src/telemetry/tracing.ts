/** One thing that was done, in a trace. */
export interface Span {
  /** W3C traceparent, for whoever goes on elsewhere; undefined when nothing is traced. */
  readonly traceparent: string | undefined
  set(attributes: Attributes): void
  /** It failed: of what kind, never with texts of tenants. */
  fail(what: string): void
}

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

export interface SpanOptions {
  /** Default internal. */
  readonly kind?: 'internal' | 'server' | 'client' | 'consumer'
  /** W3C traceparent of what it is part of; hostile or missing: a trace of its own begins. */
  readonly parent?: string | null | undefined
  readonly attributes?: Attributes
}

/** Where spans go. What is not traced costs a call. */
export interface Tracing {
  /** Ends with `work`, as failed when that throws. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>
  /** What is over already, such as waiting in a queue. Milliseconds since 1970. */
  past(name: string, options: SpanOptions, from: number, to: number): void
}

const NO_SPAN: Span = { traceparent: undefined, set: () => {}, fail: () => {} }

/** Nothing is traced. */
export const NO_TRACING: Tracing = { span: (_name, _options, work) => work(NO_SPAN), past: () => {} }
