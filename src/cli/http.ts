import { CliError } from './cli-error.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'

export interface Answer<T> {
  readonly status: number
  readonly body: T
}

interface Request {
  readonly body?: unknown
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly headers?: Readonly<Record<string, string>>
}

/** A file, and what was said of it. */
export interface Download {
  readonly headers: Headers
  readonly bytes: AsyncIterable<Uint8Array>
}

export type Http = ReturnType<typeof createHttp>

/** JSON over HTTP, with every failure as a CliError. The key goes into a header and nowhere else; '' is none. */
export function createHttp(base: string, key: string, signal?: AbortSignal) {
  const authorization = key === '' ? {} : { authorization: `Bearer ${key}` }

  async function call<T>(method: string, path: string, request: Request = {}): Promise<Answer<T>> {
    const url = new URL(path, base)
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    let response: Response
    try {
      response = await send(url, {
        method,
        headers: {
          ...authorization,
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        signal: signal ?? null,
      })
      const text = await response.text()
      return { status: response.status, body: parse(text) as T }
    } catch (error) {
      throw signal?.aborted === true ? error : unreachable(base, error)
    }
  }

  async function answered<T>(method: string, path: string, request?: Request): Promise<Answer<T>> {
    const answer = await call<T>(method, path, request)
    if (answer.status >= 400) throw problemError(answer.status, answer.body)
    return answer
  }

  /** Lines of a body as they come. @throws CliError for a status of 400 or more, and when the connection breaks */
  async function* lines(path: string, query: Request['query']): AsyncGenerator<string, void> {
    const url = new URL(path, base)
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, String(value))
    let rest = ''
    try {
      const response = await send(url, { headers: authorization, signal: signal ?? null })
      if (response.status >= 400) throw problemError(response.status, parse(await response.text()))
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
        const parts = (rest + text).split('\n')
        rest = parts.pop()!
        yield* parts
      }
    } catch (error) {
      if (error instanceof CliError || signal?.aborted === true) throw error
      throw unreachable(base, error)
    }
    if (rest !== '') yield rest
  }

  /** Bytes of a body as they come. @throws CliError for a status of 400 or more, and when the connection breaks */
  async function* bytes(method: string, path: string, body: unknown): AsyncGenerator<Uint8Array, void> {
    try {
      const response = await send(new URL(path, base), {
        method,
        headers: { ...authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: signal ?? null,
      })
      if (response.status >= 400) throw problemError(response.status, parse(await response.text()))
      yield* response.body!
    } catch (error) {
      if (error instanceof CliError || signal?.aborted === true) throw error
      throw unreachable(base, error)
    }
  }

  /** @throws CliError for a status of 400 or more; its bytes when the connection breaks, and when there are more of them */
  async function download(path: string, most: number): Promise<Download> {
    const response = await send(new URL(path, base), {
      headers: authorization,
      signal: signal ?? null,
    }).catch((error: unknown) => {
      throw signal?.aborted === true ? error : unreachable(base, error)
    })
    if (response.status >= 400) throw problemError(response.status, parse(await response.text()))
    return { headers: response.headers, bytes: atMost(response.body!, most) }
  }

  async function* atMost(body: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array, void> {
    let size = 0
    try {
      for await (const chunk of body) {
        size += chunk.length
        if (size > most) {
          throw new CliError(EXIT.failed, `The server at ${new URL(base).origin} sent more than ${most} bytes.`, {
            fix: 'Check --url and SKILLET_URL: no version is as large as that.',
          })
        }
        yield chunk
      }
    } catch (error) {
      if (error instanceof CliError || signal?.aborted === true) throw error
      throw unreachable(base, error)
    }
  }

  return {
    /** Any status. */
    call,
    /** @throws CliError for a status of 400 or more */
    answered,
    ok: async <T>(method: string, path: string, request?: Request): Promise<T> =>
      (await answered<T>(method, path, request)).body,
    lines,
    bytes,
    download,
  }
}

/** A server that says that it waited in vain has not begun: on a busy machine it is asked once more. */
async function send(url: URL, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (response.status !== 408) return response
  await response.body?.cancel()
  return fetch(url, init)
}

export function unreachable(base: string, error: unknown): CliError {
  const { message, cause } = error as Error
  return new CliError(EXIT.unreachable, `The server at ${new URL(base).origin} does not answer.`, {
    why: cause instanceof Error && cause.message !== '' ? cause.message : message,
    fix: 'Check that it runs ("skillet serve" starts one here), and --url or SKILLET_URL.',
    cause: error,
  })
}

/** @param body Problem details (RFC 9457), or whatever something in between answered with. */
export function problemError(status: number, body: unknown): CliError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const text = (name: string): string | undefined => (typeof problem[name] === 'string' ? problem[name] : undefined)
  const places = (Array.isArray(problem['errors']) ? problem['errors'] : []) as { pointer: string; message: string }[]
  const list = places.map(({ pointer, message }) => `\n  ${pointer === '' ? '' : `${pointer}: `}${message}`).join('')
  const what = text('detail') ?? `The server answered with status ${status}.`
  // A fault of the server's: what its log is searched by.
  const request = status >= 500 && text('request_id') !== undefined ? ` (request ${text('request_id')})` : ''
  return new CliError(exitCodeOf(status), `${what}${request}${list}`, {
    why: text('title'),
    fix: text('fix'),
    data: Object.keys(problem).length > 0 ? problem : { status },
  })
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.refused
  if (status === 404) return EXIT.notFound
  return EXIT.failed
}

function parse(text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
