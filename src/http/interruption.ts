import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { SkilletError } from '../model/errors.ts'

type AnyContext = Context<{ Bindings: Partial<HttpBindings> }>

/** What was given up because the client has gone, or because the server stops, is no fault. */
export function interrupted(error: unknown, c: AnyContext, stopping: AbortSignal): SkilletError | null {
  const { name, code } = error as NodeJS.ErrnoException
  // The second is how a body ends that breaks off.
  if (name !== 'AbortError' && code !== 'ECONNRESET') return null
  const { incoming, outgoing } = c.env
  const left = outgoing?.destroyed === true || (incoming?.destroyed === true && !incoming.complete)
  if (!left && !stopping.aborted) return null
  return new SkilletError('unavailable', 'The request was interrupted.', { cause: error })
}

const GONE = new DOMException('The client has gone.', 'AbortError')

/** Whether what a request waits with was aborted by its client, and not because the server stops. */
export const hungUp = (signal: AbortSignal): boolean => signal.aborted && signal.reason === GONE

/**
 * Aborted when the client hangs up, or the server stops. Asks the socket where there is one: the signal of a Request makes the whole Request.
 * @param stopping One for all requests, which costs each of them nothing: `AbortSignal.any` would be a good part of what a request takes.
 */
export function departure(c: AnyContext, stopping: AbortSignal): AbortSignal {
  const outgoing = c.env.outgoing
  if (outgoing === undefined) return AbortSignal.any([stopping, c.req.raw.signal])
  const controller = new AbortController()
  if (stopping.aborted) controller.abort(stopping.reason)
  else if (outgoing.destroyed) controller.abort(GONE)
  else {
    const present = presentUntil(stopping)
    present.add(controller)
    // A response that was sent closes too: only one that was not is a client that has gone.
    outgoing.once('close', () => {
      present.delete(controller)
      if (!outgoing.writableFinished) controller.abort(GONE)
    })
  }
  return controller.signal
}

/** Whom to tell that the server stops. */
const presences = new WeakMap<AbortSignal, Set<AbortController>>()

function presentUntil(stopping: AbortSignal): Set<AbortController> {
  const known = presences.get(stopping)
  if (known !== undefined) return known
  const present = new Set<AbortController>()
  presences.set(stopping, present)
  stopping.addEventListener(
    'abort',
    () => {
      for (const controller of present) controller.abort(stopping.reason)
    },
    { once: true },
  )
  return present
}
