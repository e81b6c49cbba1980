import type { SendHandle } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { parseNetworks } from '../../net/networks.ts'
import { type Egress, EgressUnavailable } from './egress.ts'
import { type EgressLine, openLine } from './egress-line.ts'
import type { EgressOptions } from './egress-options.ts'

/**
 * The process is started for the first sandbox that needs it, and again for the next one after it was lost.
 * @throws NetworkListError; TypeError for a DNS server that is none
 */
export function openEgress(options: EgressOptions): Egress {
  parseNetworks(options.networks ?? [])
  if (options.dnsServers !== undefined) new Resolver().setServers(options.dnsServers)
  const lines = new Set<EgressLine>()
  let current: EgressLine | null = null
  let closed = false

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
      try {
        if (closed) throw new EgressUnavailable('The server stops.')
        current ??= start()
        return await current.connect(all, rules, observer)
      } finally {
        for (const { handle } of all) handle.close()
      }
    },
    async close() {
      closed = true
      for (const line of lines) line.end()
      await Promise.all([...lines].map(({ ended }) => ended))
    },
  }
}

type Handle = SendHandle & { close(): void }
