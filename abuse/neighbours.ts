import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Session } from '../src/runtime/driver.ts'
import { type TestSessions, invoke } from '../src/runtime/test-sessions.ts'

/** Two skills of another tenant, warm and called all the time while something attacks. */
export interface Neighbours {
  /** Calls both until stopped, and once more then: each at least twice, before and after. */
  serve(): { stop(): Promise<Service> }
  close(): Promise<void>
}

export interface Service {
  readonly runs: number
  /** What was not as it should be: empty when the neighbours noticed nothing. */
  readonly complaints: readonly string[]
}

export async function openNeighbours(sandboxes: TestSessions): Promise<Neighbours> {
  const soft = sandboxes.driver.capabilities().limits !== 'hard'
  const all = [
    await neighbour(() => sandboxes.python(PYTHON), soft && sandboxes.driver.name === 'runsc'),
    await neighbour(() => sandboxes.node(NODE), soft),
  ]

  return {
    serve() {
      const ended = new AbortController()
      const complaints: string[] = []
      const served = Promise.all(all.map((one) => callUntil(ended.signal, one, complaints)))
      return {
        async stop() {
          ended.abort()
          return { runs: (await served).reduce((sum, count) => sum + count, 0), complaints }
        },
      }
    },
    async close() {
      await Promise.all(all.map(({ session }) => session.kill()))
    },
  }
}

interface Neighbour {
  session: Session
  readonly make: () => Promise<Session>
  /** See AbuseWorld.mayRetire; of gVisor's processes none can be put before others again. */
  readonly mayRetire: boolean
  /** What it suffered was told, once: the next case begins with another. */
  lost: boolean
}

async function neighbour(make: () => Promise<Session>, mayRetire: boolean): Promise<Neighbour> {
  return { session: await make(), make, mayRetire, lost: false }
}

/** Its work: a sum, a file of its own and a word from its environment. */
const PYTHON = `
import os
def handler(input):
    with open("/tmp/mine", "w") as file: file.write(str(input["to"]))
    with open("/tmp/mine") as file: kept = file.read()
    return {"sum": sum(range(input["to"] + 1)), "kept": kept, "files": os.listdir("/tmp"), "word": os.environ["WORD"]}
`
const NODE = `
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
export function execute({ to }, { env }) {
  writeFileSync('/tmp/mine', String(to))
  let sum = 0
  for (let i = 0; i <= to; i++) sum += i
  return { sum, kept: readFileSync('/tmp/mine', 'utf8'), files: readdirSync('/tmp'), word: env.WORD }
}`
/** Between two runs: enough to notice what happens, not so much that the machine does nothing else. */
const PAUSE_MS = 300

/** @returns How many runs there were. */
async function callUntil(ended: AbortSignal, one: Neighbour, complaints: string[]): Promise<number> {
  let runs = 0
  for (let last = false; ; last = ended.aborted) {
    const to = 1000 + runs
    const word = `neighbour-${runs}`
    try {
      if (one.lost || (one.mayRetire && !(await one.session.idle()))) one.session = await one.make()
      one.lost = false
      const { result, output } = await invoke(one.session, { to }, { env: { WORD: word } })
      runs++
      assert.equal(result.status, 'succeeded', JSON.stringify(result))
      assert.deepEqual(output, { sum: (to * (to + 1)) / 2, kept: String(to), files: ['mine'], word })
    } catch (error) {
      complaints.push((error as Error).message)
      one.lost = true
      return runs
    }
    if (last) return runs
    await pause(PAUSE_MS, null, { signal: ended }).catch(() => undefined)
  }
}
