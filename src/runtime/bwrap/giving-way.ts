import { availableParallelism } from 'node:os'
import type { Contender, Entry } from './contender.ts'
import { createShares } from './shares.ts'

/** Who lets whom go first: short runs pass long ones. */
export interface GivingWay {
  /** A run begins. @returns To be called at its end: false when it left the contender behind others for good. */
  begin(contender: Contender): () => boolean
}

export interface GivingWayOptions {
  /** Default: those of this machine. */
  readonly cores?: number
  /** False where those behind get some share in any case. Default true. */
  readonly turns?: boolean
  /** CPU time in milliseconds that every run may take before it is a long one. Default 10. */
  readonly least?: number
}

/** Between two looks, in milliseconds; and at least so many times as long as a look took. */
const LOOK_MS = 25
const REST = 20
/** CPU time in milliseconds after which a run is a long one: this shared by all that go on, within bounds. */
const PATIENCE = { shared: 400, most: 200 }
/** How much of what all but one of the processors can do is most of it; and less than how much, for so many milliseconds, is not. */
const MOST = 0.9
const CALM = { share: 0.6, ms: 200 }
/** Less than this of one processor, all those behind together, is hunger when it lasts for so many milliseconds. */
const HUNGER = { share: 0.1, ms: 100 }
/** Then one of them has its usual share until it got so much CPU time, or had so long for it, in milliseconds. */
const TURN = { cpu: 10, ms: 100 }

/**
 * Where runs have to share the processors, those that have taken much already let the others go first, until they end. While it is runs that
 * take most of the processors, they go last, behind everything: what else the machine does costs them no more than a share. Where nothing is
 * left over for them one after another has a turn among the others, so that each goes on. All of it follows from a look at the counters now
 * and then: a short run is over before the first.
 */
export function createGivingWay({
  cores = availableParallelism(),
  turns = true,
  least = 10,
}: GivingWayOptions = {}): GivingWay {
  /** In the order of their turns. */
  const going = new Set<Entry>()
  const shares = createShares(cores)
  let timer: NodeJS.Timeout | null = null
  let looked = 0
  let hungry = 0
  let calm = 0
  /** Whether those behind are behind everything. */
  let last = false
  /** What runs have taken that ended since the last look. */
  let ended = 0
  let turn: { readonly entry: Entry; readonly from: number; readonly began: number } | null = null

  function look(): void {
    timer = null
    const now = performance.now()
    const passed = now - looked
    looked = now
    let [all, behind] = [ended, 0]
    ended = 0
    for (const entry of going) {
      const cpu = entry.contender.cpuMs()
      all += cpu - entry.seen
      if (entry.behind) behind += cpu - entry.seen
      entry.seen = cpu
    }
    const changed = judge(all / (passed * Math.max(0.5, cores - 1)), passed)
    if (turns) giveTurns(now, passed, behind)
    if (shares.adjust(now, going) || changed) for (const entry of going) if (entry.behind) putBehind(entry)
    wait(performance.now() - now)
  }

  /** @param load 1 where runs take all processors but one. @returns Whether those behind are to be told. */
  function judge(load: number, passed: number): boolean {
    const before = last
    calm = load < CALM.share ? calm + passed : 0
    last = load > MOST || (last && calm <= CALM.ms)
    const patience = Math.min(PATIENCE.most, Math.max(least, PATIENCE.shared / going.size))
    const long = [...going].filter((entry) => entry.seen - entry.before > patience)
    if (last || long.length >= cores) for (const entry of long) if (!entry.behind) putBehind(entry)
    return last !== before
  }

  function putBehind(entry: Entry): void {
    if (turn?.entry === entry) return
    entry.behind = true
    entry.contender.giveWay({ last, cpus: shares.each() })
  }

  function giveTurns(now: number, passed: number, taken: number): void {
    if (turn !== null) {
      const { entry, from, began } = turn
      if (entry.seen - from < TURN.cpu && now - began < TURN.ms) return
      turn = null
      putBehind(entry)
    }
    const waiting = [...going].find((entry) => entry.behind)
    hungry = waiting === undefined || taken > passed * HUNGER.share ? 0 : hungry + passed
    if (waiting === undefined || hungry < HUNGER.ms) return
    hungry = 0
    going.delete(waiting)
    going.add(waiting)
    turn = { entry: waiting, from: waiting.seen, began: now }
    ahead(waiting)
  }

  function wait(cost = 0): void {
    if (timer !== null || going.size === 0) return
    timer = setTimeout(look, Math.max(LOOK_MS, cost * REST)).unref()
  }

  return {
    begin(contender) {
      const before = contender.cpuMs()
      const entry: Entry = { contender, before, seen: before, behind: false, spoilt: false }
      if (going.size === 0) {
        looked = performance.now()
        hungry = calm = ended = 0
      }
      going.add(entry)
      wait()
      return () => {
        if (going.delete(entry)) {
          ended += contender.cpuMs() - entry.seen
          if (turn?.entry === entry) turn = null
          if (entry.behind) ahead(entry)
        }
        return !entry.spoilt
      }
    },
  }
}

function ahead(entry: Entry): void {
  entry.behind = false
  if (!entry.contender.takeTurn()) entry.spoilt = true
}
