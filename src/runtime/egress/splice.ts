import { type Socket, Socket as NetSocket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Direction, Meter } from './meter.ts'

/**
 * Passes on what one socket reads until it ends, and the end. Reads no faster than the other side takes it and the meter lets it, so that
 * no more than a few chunks are ever held.
 * @param onSpent The meter says that it is enough.
 */
export function pump(
  from: Socket,
  to: Socket,
  { meter, direction, onSpent }: { meter: Meter; direction: Direction; onSpent: () => void },
): void {
  if (from.readableEnded) {
    to.end()
    return
  }
  let full = false
  let timer: NodeJS.Timeout | null = null
  const goOn = (): void => {
    if (!full && timer === null) from.resume()
  }
  from.on('data', (chunk: Buffer) => {
    const wait = meter.count(direction, chunk.length)
    if (wait === null) {
      onSpent()
      return cut(from)
    }
    if (!to.write(chunk)) full = true
    // A timer is not finer than that.
    if (wait >= 1) {
      timer ??= setTimeout(() => {
        timer = null
        goOn()
      }, wait)
    }
    if (full || timer !== null) from.pause()
  })
  from.once('end', () => to.end())
  from.once('close', () => timer !== null && clearTimeout(timer))
  to.on('drain', () => {
    full = false
    goOn()
  })
  goOn()
}

/** A connection that ends before its time ends the other one the same way, so that half of something is never taken for the whole. */
export function tie(a: Socket, b: Socket): void {
  follow(a, b)
  follow(b, a)
}

function follow(one: Socket, other: Socket): void {
  one.on('error', () => cut(other))
  one.once('close', () => {
    if (!one.readableEnded) cut(other)
  })
  if (one.destroyed) cut(other)
}

/** Ends a connection with a reset where that can be said. */
export function cut(socket: Socket): void {
  if (socket.destroyed) return
  // Those over TLS, to the operator's proxy, have none.
  if (socket instanceof TLSSocket || !(socket instanceof NetSocket)) socket.destroy()
  else socket.resetAndDestroy()
}
