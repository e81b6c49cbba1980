import type { SendHandle } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { parseNetworks } from '../../net/networks.ts'
import { type Egress, EgressUnavailable } from './egress.ts'
import { type EgressLine, openLine } from './egress-line.ts'
import type { EgressOptions } from './egress-options.ts'

/**
 * The process is started for the first sandbox that needs it, and again for the next one after it was lost. It ends when no sandbox has
 * needed it for a while: it takes as much memory as some of them.
 * @throws NetworkListError; TypeError for a DNS server that is none
 */
export function openEgress(options: EgressOptions): Egress {
  parseNetworks(options.networks ?? [])
  if (options.dnsServers !== undefined) new Resolver().setServers(options.dnsServers)
  const lines = new Set<EgressLine>()
  let current: EgressLine | null = null
  let closed = false
  /** Sandboxes that have a way out, or ask for one. */
  let guests = 0
  let resting: NodeJS.Timeout | null = null

  function come(): () => void {
    guests++
    if (resting !== null) clearTimeout(resting)
    let here = true
    return () => {
      if (!here) return
      here = false
      if (--guests === 0) resting = setTimeout(() => current?.end(), options.restMs ?? REST_MS).unref()
    }
  }

  function start(): EgressLine {
    const line = openLine(options, () => {
      if (current === line) current = null
    })
    lines.add(line)
    void line.ended.then(() => lines.delete(line))
    return line
  }
  return {
    async connect(sockets, rules, observer) {
      const all = [{ port: null, handle: sockets.dns }, ...sockets.tcp] as { port: number | null; handle: Handle }[]
      const leave = come()
      try {
        if (closed) throw new EgressUnavailable('The server stops.')
        current ??= start()
        const lost = (): void => {
          leave()
          observer.lost()
        }
        const link = await current.connect(all, rules, { denied: (attempt) => observer.denied(attempt), lost })
        const close = (): void => {
          leave()
          link.close()
        }
        return { ...link, close }
      } catch (error) {
        leave()
        throw error
      } finally {
        for (const { handle } of all) handle.close()
      }
    },
    async close() {
      closed = true
      if (resting !== null) clearTimeout(resting)
      for (const line of lines) line.end()
      await Promise.all([...lines].map(({ ended }) => ended))
    },
  }
}

type Handle = SendHandle & { close(): void }

const REST_MS = 60_000
