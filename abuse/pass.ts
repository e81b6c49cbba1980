// One pass of the abuse suite as the user that this process has: started by main.ts, with what a careless service manager would leave in
// a server's descriptors and environment. Prints what it does in lines of JSON. Options: --as, --driver, --only (numbers).
import { parseArgs } from 'node:util'
import { forbidCoreDumps } from '../src/runtime/core-dumps.ts'
import { closeInheritedFds } from '../src/runtime/bwrap/inherited-fds.ts'
import { openTestSessions } from '../src/runtime/test-sessions.ts'
import type { AbuseCase } from './case.ts'
import { CASES } from './cases.ts'
import { leftIn, processesIn } from './host.ts'
import { openNeighbours } from './neighbours.ts'
import { openAbuseNetwork } from './net.ts'
import { LEFTOVERS, type Row, type User, partsOf } from './report.ts'
import { type Surroundings, runCase } from './run-case.ts'

/** Cases at a time. */
const LANES = 4

let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (interrupted = true))

// As the server's own entry does.
closeInheritedFds()
await forbidCoreDumps()
const { values } = parseArgs({
  options: { as: { type: 'string' }, driver: { type: 'string' }, only: { type: 'string' } },
})
const as = values.as as User
const driver = values.driver === 'runsc' ? 'runsc' : 'bwrap'
const numbers = new Set(values.only?.split(',').map(Number))
const tell = (line: Row | { as: User; limits: string } | { waits: 'alone' }): void =>
  void process.stdout.write(`${JSON.stringify(line)}\n`)

await pass(CASES.filter(({ number }) => values.only === undefined || numbers.has(number)))

async function pass(cases: readonly AbuseCase[]): Promise<void> {
  const began = performance.now()
  await using network = await openAbuseNetwork()
  const sandboxes = await openTestSessions({ egress: network.egress, driver })
  const { places } = sandboxes
  try {
    tell({ as, limits: sandboxes.driver.capabilities().limits })
    const neighbours = await Promise.all(Array.from({ length: LANES }, () => openNeighbours(sandboxes)))
    const again: { one: AbuseCase; row: Row }[] = []
    const lane = async (i: number, queues: readonly AbuseCase[][]): Promise<void> => {
      for (let one = next(queues); one !== undefined; one = next(queues)) {
        const tried = one
        await runCase(tried, partsOf(tried), { as, sandboxes, neighbours: neighbours[i]!, network }, (row) =>
          row.status === 'failed' ? again.push({ one: tried, row }) : tell(row),
        )
      }
    }
    const [heavy, light, alone] = (['heavy', undefined, 'alone'] as const).map((load) =>
      // What is short comes last, so that no lane waits for another at the end.
      cases.filter((one) => one.load === load).toSorted((a, b) => length(b) - length(a)),
    ) as [AbuseCase[], AbuseCase[], AbuseCase[]]
    // The first lane takes what is heavy, so that there is never more than one of it.
    await Promise.all(neighbours.map((_, i) => lane(i, i === 0 ? [heavy, light] : [light])))
    if (alone.length + again.length > 0) await turn()
    await lane(0, [alone])
    await Promise.all(neighbours.map((each) => each.close()))
    for (const { one, row } of again) {
      if (interrupted) tell(row)
      else await secondTry(one, row, { as, sandboxes, network })
    }
  } finally {
    await sandboxes.close()
  }
  const left = [...(await processesIn([places.root])), ...leftIn(places)]
  const ms = Math.round(performance.now() - began)
  const why = left.length === 0 ? null : left.join('; ')
  tell({ ...LEFTOVERS, as, part: 'world', status: why === null ? 'held' : 'failed', why, first: null, ms })
}

/** With nothing else at work and neighbours of its own: what fails twice is no whim of the machine. Told are both. */
async function secondTry(one: AbuseCase, { part, why }: Row, around: Omit<Surroundings, 'neighbours'>): Promise<void> {
  const neighbours = await openNeighbours(around.sandboxes)
  await runCase(one, [part], { ...around, neighbours }, (row) =>
    tell(row.status === 'failed' ? { ...row, why: `${row.why}; at its first try: ${why}` } : { ...row, first: why }),
  )
  await neighbours.close()
}

/** Of this pass, when nothing of the others is at work: whoever started it closes its standard input. */
async function turn(): Promise<void> {
  tell({ waits: 'alone' })
  for await (const _ of process.stdin) continue
}

/** In attacks; what is no handler takes as long as several. */
function length(one: AbuseCase): number {
  return partsOf(one).reduce((sum, part) => sum + (part === 'world' ? 8 : [one[part]].flat().length), 0)
}

function next(queues: readonly AbuseCase[][]): AbuseCase | undefined {
  return interrupted ? undefined : queues.find((queue) => queue.length > 0)?.shift()
}
