import type { IncomingMessage } from 'node:http'

/** The body straight from the socket where there is one: a web stream in between only costs. */
export function bodyStream(
  incoming: Pick<IncomingMessage, 'iterator'> | undefined,
  request: Pick<Request, 'body'>,
): AsyncIterable<Uint8Array> {
  // A reader that gives up must still be able to answer, so the socket stays.
  return incoming?.iterator({ destroyOnReturn: false }) ?? request.body ?? nothing()
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}
