import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createGivingWay } from './giving-way.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const MS = 10

/** Runs on so many processors, of which each wants as much as it can get. Those behind the others get what these leave over. */
function machine(cores: number) {
  const way = createGivingWay({ cores })
  const going = new Set<Run>()
  interface Run {
    readonly name: string
    cpu: number
    behind: boolean
    /** Behind everything. */
    last: boolean
    /** CPUs' worth that it gets at the most. */
    most: number
    /** How often it was put behind. */
    times: number
    end(): boolean
  }
  let others = 0
  return {
    /** Processes beside the runs, each with the weight of four of them, that leave nothing over. */
    takeAway(count: number) {
      others = count
    },
    begin(name: string, back = true): Run {
      const run: Run = { name, cpu: 123, behind: false, last: false, most: Infinity, times: 0, end: () => true }
      const leave = way.begin({
        cpuMs: () => run.cpu,
        giveWay({ last, cpus }) {
          if (!run.behind) run.times++
          run.behind = true
          run.last = last
          run.most = cpus
        },
        takeTurn() {
          run.behind = run.last = false
          run.most = Infinity
          return back
        },
      })
      going.add(run)
      run.end = () => {
        going.delete(run)
        return leave()
      }
      return run
    },
    pass(ms: number) {
      for (let at = 0; at < ms; at += MS) {
        let left = cores * MS
        for (const last of [false, true]) {
          const now = [...going].filter((run) => run.last === last)
          left *= others === 0 ? 1 : last ? 0 : now.length / (now.length + 4 * others)
          for (const run of now) {
            const each = Math.min(MS, left / now.length, run.most * MS)
            run.cpu += each
          }
          left -= Math.min(MS, left / Math.max(1, now.length)) * now.length
        }
        vi.advanceTimersByTime(MS)
      }
    },
  }
}

test('runs that take all processors let others go first once they have taken much, until they end', () => {
  const { begin, pass } = machine(2)
  const long = [begin('a'), begin('b'), begin('c')]
  pass(60)
  expect(long.some(({ behind }) => behind)).toBe(false)
  pass(400)
  expect(long.every(({ behind }) => behind)).toBe(true)
  const late = begin('late')
  const before = late.cpu
  pass(40)
  expect(late.cpu - before).toBe(40)
  expect(late.end()).toBe(true)
  expect(long[0]!.end()).toBe(true)
  expect(long[0]!.behind).toBe(false)
})

test('the more go on at once the sooner they do so', () => {
  const { begin, pass } = machine(2)
  const long = Array.from({ length: 50 }, (_, i) => begin(String(i)))
  pass(400)
  expect(long.every(({ behind }) => behind)).toBe(true)
})

test('where processors are left over nobody need wait', () => {
  const { begin, pass } = machine(4)
  const long = [begin('a'), begin('b')]
  pass(2000)
  expect(long.map(({ times }) => times)).toEqual([0, 0])
})

test('those behind go on, one after another, when others leave nothing over', () => {
  const host = machine(2)
  const long = ['a', 'b', 'c', 'd'].map((name) => host.begin(name))
  host.pass(1000)
  const marks = long.map(({ cpu }) => cpu)
  // Short runs keep both processors busy: each is over and followed by the next before it has taken much.
  for (let i = 0; i < 200; i++) {
    const short = [0, 1, 2].map((one) => host.begin(`short ${one}`))
    host.pass(20)
    for (const run of short) run.end()
  }
  const got = long.map(({ cpu }, i) => cpu - marks[i]!)
  expect(Math.min(...got)).toBeGreaterThan(4000 * 0.01)
  expect(Math.max(...got)).toBeLessThan(4000 * 0.2)
})

test('those behind are never all on the processors at once, and get what others of them do not take', () => {
  const { begin, pass } = machine(2)
  const long = Array.from({ length: 10 }, (_, i) => begin(String(i)))
  pass(1000)
  const most = long.map((run) => run.most)
  expect(most.every((each) => each === most[0])).toBe(true)
  expect(10 * most[0]!).toBeCloseTo(1.29, 1)
  for (const run of long.slice(4)) run.end()
  pass(2000)
  expect(4 * long[0]!.most).toBeCloseTo(1.29, 1)
})

test('behind what is no run they are not, but they still let other runs go first', () => {
  const { begin, pass, takeAway } = machine(2)
  const long = [begin('a'), begin('b'), begin('c')]
  pass(1000)
  expect(long.every(({ last }) => last)).toBe(true)
  takeAway(4)
  pass(400)
  expect(long.some(({ last }) => last)).toBe(false)
  expect(long.filter(({ behind }) => behind).length).toBeGreaterThan(1)
})

test('they let other runs go first where something else takes most of the processors', () => {
  const { begin, pass, takeAway } = machine(2)
  takeAway(4)
  const long = [begin('a'), begin('b'), begin('c')]
  pass(3000)
  expect(long.every(({ times }) => times > 0)).toBe(true)
  expect(long.some(({ last }) => last)).toBe(false)
})

test('one that cannot be had back from behind the others says so when it ends, and only if it was there', () => {
  const { begin, pass } = machine(1)
  const quick = begin('quick', false)
  expect(quick.end()).toBe(true)
  const long = begin('long', false)
  pass(1000)
  expect(long.end()).toBe(false)
})

test('no timer is left when no run goes on', () => {
  const { begin, pass } = machine(1)
  const run = begin('run')
  pass(1000)
  run.end()
  pass(100)
  expect(vi.getTimerCount()).toBe(0)
})
