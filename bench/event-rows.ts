import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from './client.ts'
import { type Row, LANGUAGES, prepare } from './rows.ts'
import { startBenchServer } from './server.ts'
import { round, summarise } from './stats.ts'

const FOLLOWERS = new URL('followers.ts', import.meta.url)
const STREAMS = 5000
const INVOKE = `/api/skills/${LANGUAGES.TS}/stages/dev/invoke`

/** A server of their own, so that its memory is theirs. What they cost while nothing happens, and how soon they are told of what does. */
export async function eventRows(seconds: number, runs: number): Promise<Row[]> {
  const server = await startBenchServer()
  const client = createClient(server.url, server.key, 4)
  let followers: ChildProcess | undefined
  try {
    await prepare(client)
    // A server that has been busy before has the memory that being busy takes.
    for (let i = 0; i < 10_000; i++) await client.send('GET', '/api/whoami')
    await pause(3000)
    const before = server.rssMb()
    followers = fork(FOLLOWERS, [server.url, server.key, String(STREAMS)], { execArgv: [] })
    const [opened] = (await once(followers, 'message')) as [{ open: number }]
    // What opening them left behind is swept up.
    await pause(5000)
    const each = ((server.rssMb() - before) * 1024) / opened.open
    const [cpu, began] = [server.cpuMs(), performance.now()]
    await pause(seconds * 1000)
    const idle = (100 * (server.cpuMs() - cpu)) / (performance.now() - began)
    const follow = async (count: number): Promise<number[]> => {
      for (let i = 0; i < count; i++) {
        await client.send('POST', INVOKE, JSON.stringify({ input: { a: 2, b: 3 } }), { prefer: 'wait=30' })
        await pause(1000)
      }
      followers!.send('report')
      const [{ late }] = (await once(followers!, 'message')) as [{ late: number[] }]
      return late
    }
    await follow(3)
    const late = await follow(runs)
    // Queued, running, and how it ended.
    if (late.length !== 3 * runs * STREAMS)
      throw new Error(`${late.length} events arrived instead of ${3 * runs * STREAMS}.`)
    return [
      { name: '5,000 idle event streams, memory each', unit: 'KB', figure: round(each), budget: { atMost: 32 } },
      { name: '5,000 idle event streams, one core', unit: '%', figure: round(idle), budget: { atMost: 5 } },
      { name: 'event to client, 5,000 streams', unit: 'ms', figure: summarise(late), budget: { p99: 250 } },
    ]
  } finally {
    followers?.disconnect()
    client.close()
    await server.stop()
  }
}
