import type { SendHandle } from 'node:child_process'
import {
  type EgressLink,
  type EgressObserver,
  type EgressRules,
  type EgressTraffic,
  EgressUnavailable,
} from './egress.ts'
import type { EgressOptions } from './egress-options.ts'
import { EGRESS_LIMITS } from './limits.ts'
import { FromEgress, type ToEgress } from './messages.ts'
import { createPulse } from './pulse.ts'
import { startProcess } from './start-process.ts'

/** One process that forwards, seen from the server. */
export interface EgressLine {
  /** @throws EgressUnavailable */
  connect(sockets: readonly LineSocket[], rules: EgressRules, observer: EgressObserver): Promise<EgressLink>
  end(): void
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>
}

export interface LineSocket {
  /** Null: the one of the DNS. */
  readonly port: number | null
  readonly handle: SendHandle
}

interface Linked {
  readonly observer: EgressObserver
  readonly serving: PromiseWithResolvers<void>
  readonly waiting: (() => void)[]
  traffic: EgressTraffic
  state: 'opening' | 'serving' | 'closed'
}

/** @param onGone Nothing goes through it any more. */
export function openLine(options: EgressOptions, onGone: () => void): EgressLine {
  const { networks = [], dnsServers = null, own, limits, observed, onError, answerMs = ANSWER_MS } = options
  const links = new Map<number, Linked>()
  const ended = Promise.withResolvers<void>()
  let next = 0
  let gone = false
  let ending = false
  const child = startProcess((line) => onError(new Error(line), DOING))

  function lost(reason?: unknown): void {
    if (gone) return
    gone = true
    if (reason !== undefined) onError(reason, DOING)
    child.kill('SIGKILL')
    onGone()
    for (const link of links.values()) {
      link.serving.reject(new EgressUnavailable('The process that forwards the traffic of skills ended.'))
      for (const done of link.waiting.splice(0)) done()
      if (link.state === 'serving') link.observer.lost()
      link.state = 'closed'
    }
    links.clear()
  }
  function say(message: ToEgress, handle?: SendHandle): void {
    if (gone) return
    child.send(message, handle, (error) => {
      if (error !== null) lost(error)
    })
  }
  function heard(link: Linked, message: Exclude<FromEgress, { is: 'alive' }>): void {
    switch (message.is) {
      case 'serving':
        link.serving.resolve()
        break
      case 'failed':
        link.serving.reject(new EgressUnavailable(message.message))
        break
      case 'denied': {
        const { host, port, why, times } = message
        observed?.denied(why, times)
        if (link.state === 'serving') link.observer.denied({ host, port, why, times })
        break
      }
      case 'traffic': {
        const { connections, bytes_out, bytes_in } = message
        observed?.traffic({
          connections: connections - link.traffic.connections,
          bytes_out: bytes_out - link.traffic.bytes_out,
          bytes_in: bytes_in - link.traffic.bytes_in,
        })
        link.traffic = { connections, bytes_out, bytes_in }
        break
      }
      case 'shut':
        if (link.state === 'serving') link.observer.lost()
        link.serving.reject(new EgressUnavailable('The way out was closed as it was opened.'))
        close(message.link)
        break
      case 'told':
        link.waiting.shift()?.()
        break
      case 'closed':
        links.delete(message.link)
        break
    }
  }
  function close(id: number): void {
    const link = links.get(id)
    if (link === undefined || link.state === 'closed') return
    link.state = 'closed'
    for (const done of link.waiting.splice(0)) done()
    say({ do: 'close', link: id })
  }
  /** One that does nothing for this sandbox may do all for others; one that does not even say that it is there serves nobody. */
  async function late(link: Linked): Promise<void> {
    if (!(await pulse.ask())) return lost(new Error('The process does not answer.'))
    setTimeout(
      () => link.serving.reject(new EgressUnavailable('The way out was not opened in time.')),
      answerMs,
    ).unref()
  }
  child.on('message', (value) => {
    const { data: message, error } = FromEgress.safeParse(value)
    if (message === undefined) return lost(error)
    if (message.is === 'alive') return pulse.beat()
    const link = links.get(message.link)
    if (link !== undefined) heard(link, message)
  })
  child.once('disconnect', () => lost())
  child.once('exit', (code, signal) => {
    if (!ending) onError(new Error(`The process ended (${signal ?? `code ${code}`}).`), DOING)
    lost()
    ended.resolve()
  })
  child.on('error', (error) => {
    lost(error)
    if (child.pid === undefined) ended.resolve()
  })
  const pulse = createPulse(() => say({ do: 'ping' }), options.pulseMs ?? PULSE_MS)
  say({ do: 'configure', networks, dnsServers, limits: { ...EGRESS_LIMITS, ...limits } })

  return {
    async connect(sockets, rules, observer) {
      const id = next++
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const traffic = { connections: 0, bytes_out: 0, bytes_in: 0 }
      const link: Linked = { observer, serving: { promise, resolve, reject }, waiting: [], traffic, state: 'opening' }
      if (gone) throw new EgressUnavailable('The process that forwards the traffic of skills ended.')
      links.set(id, link)
      const timer = setTimeout(() => void late(link), answerMs)
      try {
        for (const { port, handle } of sockets) say({ do: 'take', link: id, port }, handle)
        say({ do: 'serve', link: id, sockets: sockets.length, rules, own: own() })
        await promise
      } catch (error) {
        close(id)
        throw error
      } finally {
        clearTimeout(timer)
      }
      link.state = 'serving'
      return {
        traffic: () => link.traffic,
        told: async () => {
          if (link.state !== 'serving') return
          const told = Promise.withResolvers<void>()
          link.waiting.push(told.resolve)
          say({ do: 'tell', link: id })
          await told.promise
        },
        close: () => close(id),
      }
    },
    end() {
      ending = true
      lost()
    },
    ended: ended.promise,
  }
}

const DOING = 'forwarding the traffic of skills'
/** It does nothing that takes long. */
const ANSWER_MS = 30_000
const PULSE_MS = 30_000
