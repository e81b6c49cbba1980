import type { ServerResponse } from 'node:http'
import { LIMITS } from '../model/sizes.ts'
import { LiveStream, type LiveStreamOptions } from './live-stream.ts'
import { RateLimited } from './rate-limit.ts'
import { createShares } from './shares.ts'
import type { Live } from './live.ts'

/** In milliseconds. */
export interface StreamTimes {
  /** A comment is sent when nothing else was for so long, to keep proxies from hanging up. Default 15,000. */
  readonly heartbeatMs?: number
  /** Whoever takes nothing of what was sent for so long is hung up on. Default 30,000. */
  readonly slowMs?: number
  /** So often is asked whether the caller may still read it. Default 60,000. */
  readonly recheckMs?: number
}

/** The event streams that are open. */
export interface EventStreams {
  /** How many are open. */
  count(): number
  /** Room for one more. @throws RateLimited when the tenant has as many as it may. */
  require(tenant: string): void
  /** Aborts when the caller may not read it any more. @param over Aborted when it is not to be asked any longer. */
  watch(stream: Pick<OpenStream, 'recheck' | 'onFault'>, over: AbortSignal): AbortSignal
  /** Sends the head and then events until they end, the client leaves or may not read them any more, or the server stops. */
  send(outgoing: ServerResponse, head: { status: number; headers: Record<string, string> }, stream: OpenStream): void
}

export interface OpenStream {
  readonly live: Live
  readonly tenant: string
  /** False: the caller may not read it any more, or sees something else of it by now. What it throws changes nothing. */
  readonly recheck: () => Promise<boolean>
  /** Told of faults of ours. */
  readonly onFault: (error: unknown) => void
}

/** How long a client waits before it connects again, in milliseconds. */
const RETRY_MS = 1000

/** One timer serves all of them: so often they are looked at, in milliseconds, if none of the times is shorter. */
const LOOK_MS = 1000

/** @param options.stopping Aborted when the server stops: streams end in good order. @param options.perTenant Default LIMITS.streamsPerTenant. */
export function createEventStreams(
  options: StreamTimes & { stopping: AbortSignal; perTenant?: number | undefined },
): EventStreams {
  const { heartbeatMs = 15_000, slowMs = 30_000, recheckMs = 60_000, perTenant = LIMITS.streamsPerTenant } = options
  const times: LiveStreamOptions = { heartbeatMs, slowMs, recheckMs }
  const open = new Set<LiveStream>()
  const shares = createShares()
  const everyMs = Math.min(LOOK_MS, heartbeatMs, slowMs, recheckMs)
  let timer: NodeJS.Timeout | undefined
  let lookedAt = 0
  options.stopping.addEventListener('abort', () => {
    for (const stream of open) stream.stop()
  })

  function look(): void {
    const at = performance.now()
    // While this process stood still, no client could take anything.
    const passed = Math.min(at - lookedAt, 2 * everyMs)
    lookedAt = at
    for (const stream of open) stream.look(at, passed)
  }

  return {
    count: () => open.size,

    require(tenant) {
      if (shares.of(tenant) < perTenant) return
      const detail = `The tenant has ${perTenant} event streams open, which is as many as it may: close some.`
      throw new RateLimited(detail, { 'retry-after': '5' })
    },

    watch({ recheck, onFault }, over) {
      const lost = new AbortController()
      const ask = (): void => void recheck().then((same) => same || lost.abort(), onFault)
      const asking = setInterval(ask, recheckMs).unref()
      for (const signal of [over, lost.signal]) signal.addEventListener('abort', () => clearInterval(asking))
      return lost.signal
    },

    send(outgoing, { status, headers }, { tenant, ...given }) {
      // It has left while it was found out whether it may read this: it closes no second time.
      if (outgoing.destroyed) return
      // Not in chunks: the end of the connection is that of the stream. Less memory for each, and one write for an event.
      outgoing.removeHeader('transfer-encoding')
      outgoing.writeHead(status, headers)
      outgoing.write(`retry: ${RETRY_MS}\n\n${given.live.first ?? ''}`)
      const stream = new LiveStream(outgoing, given, times)
      open.add(stream)
      const giveBack = shares.take(tenant, 1)
      timer ??= setInterval(look, everyMs).unref()
      outgoing.once('close', () => {
        stream.stop()
        open.delete(stream)
        giveBack()
        if (open.size > 0) return
        clearInterval(timer)
        timer = undefined
      })
      if (options.stopping.aborted) stream.stop()
    },
  }
}
