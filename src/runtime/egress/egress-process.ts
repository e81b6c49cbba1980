import { type AddressPolicy, createAddressPolicy } from '../../net/policy.ts'
import type { FromEgress, Listening, ToEgress } from './messages.ts'
import { dropPrivileges } from './privileges.ts'
import { type Building, type SandboxDoor, openDoor } from './sandbox-door.ts'

// The process through which all sandboxes reach the network; open-egress.ts starts it and speaks with it.
dropPrivileges()
// It lives as long as the server: a Ctrl-C that reaches both must not cut off runs that the server lets finish.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('disconnect', () => process.exit(0))

interface Taken {
  readonly port: number | null
  readonly handle: { close(): void }
}

const taken = new Map<number, Taken[]>()
const doors = new Map<number, SandboxDoor>()
/** Those whose door is about to be open. */
const opening = new Set<number>()
let own: Listening | null = null
let building: Building | null = null

function send(message: FromEgress): void {
  // The server may be gone, and then this process is about to be.
  if (process.connected) process.send!(message, undefined, undefined, () => undefined)
}

process.on('message', (message: ToEgress, handle: unknown) => {
  switch (message.do) {
    case 'configure': {
      const { networks, dnsServers, limits } = message
      const policyFor = (more: readonly string[]): AddressPolicy =>
        createAddressPolicy({ networks: [...networks, ...more], own: () => own })
      building = {
        policy: policyFor([]),
        policyFor,
        dnsServers: dnsServers ?? undefined,
        limits,
        connections: new Set(),
        send,
      }
      break
    }
    case 'take': {
      const { link, port } = message
      taken.set(link, [...(taken.get(link) ?? []), { port, handle: handle as Taken['handle'] }])
      break
    }
    case 'serve':
      own = message.own
      void serve(message)
      break
    case 'tell':
      doors.get(message.link)?.tell()
      break
    case 'close':
      close(message.link)
      break
    case 'ping':
      send({ is: 'alive' })
      break
  }
})

async function serve({ link, sockets, rules }: Extract<ToEgress, { do: 'serve' }>): Promise<void> {
  const all = taken.get(link) ?? []
  taken.delete(link)
  opening.add(link)
  try {
    // One that got lost on the way, as happens where too many files are open, would be made anew: on the host.
    if (all.length !== sockets) throw new Error(`${sockets - all.length} of its sockets did not arrive.`)
    const dns = all.find(({ port }) => port === null)?.handle
    const tcp = all.flatMap(({ port, handle }) => (port === null ? [] : [{ port, handle }]))
    const door = await openDoor(link, { dns, tcp }, rules, building!)
    if (!opening.has(link)) return door.close()
    doors.set(link, door)
    send({ is: 'serving', link })
  } catch (error) {
    for (const { handle } of all) handle.close()
    send({ is: 'failed', link, message: (error as Error).message.slice(0, 1000) })
  } finally {
    opening.delete(link)
  }
}

function close(link: number): void {
  for (const { handle } of taken.get(link) ?? []) handle.close()
  taken.delete(link)
  opening.delete(link)
  doors.get(link)?.close()
  doors.delete(link)
  send({ is: 'closed', link })
}
