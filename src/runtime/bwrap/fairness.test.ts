import { readFileSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CallResult } from '../driver.ts'
import { type TestSessions, invoke, openTestSessions } from '../test-sessions.ts'
import { cgroupMounts } from './cgroup-files.ts'

/** Takes so many milliseconds of CPU time. @returns What share of its time it had a processor. */
const WORK = `
import time

def handler(ms):
    began, used = time.monotonic(), time.process_time()
    while (time.process_time() - used) * 1000 < ms: pass
    return (time.process_time() - used) / (time.monotonic() - began)
`
const WORK_IN_NODE = `
export function execute(ms) {
  const used = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000
  for (const until = used() + ms; used() < until;) for (let i = 0; i < 1e6; i++);
}`
const SHORT = 12
/** More than anybody waits for. */
const ENDLESS = 1e9
const CROWD = 6 * availableParallelism()

describe.each(['auto', 'soft'] as const)('with limits %s', (limitsMode) => {
  test('a short run passes those that take all processors, which go on all the same', async () => {
    const sessions = await openTestSessions({ limitsMode })
    try {
      const worker = await sessions.python(WORK)
      const crowd = await begin(sessions, CROWD)
      for (let i = 0; i < 20; i++) await invoke(worker, SHORT)
      const shares: number[] = []
      for (let i = 0; i < 25; i++) shares.push((await invoke(worker, SHORT)).output as number)
      const theirs = (await crowd.end()).map(({ usage }) => usage.cpu_ms! / usage.wall_ms)
      expect(middle(shares)).toBeGreaterThan(3 * middle(theirs))
      expect(Math.min(...theirs)).toBeGreaterThan(middle(theirs) / 4)
    } finally {
      await sessions.close()
    }
  })
})

test('a session that was behind the others is so for its long run only, and nothing of it is left', async ({
  skip,
}) => {
  const sessions = await openTestSessions()
  const { key } = sessions.places
  try {
    skip(sessions.driver.capabilities().held?.cpu !== true, 'limits are soft here, or the CPU controller is missing')
    const session = await sessions.python(WORK)
    const [group] = groups(key)
    const usual = weight(group!)
    const crowd = await begin(sessions, 2 * availableParallelism())
    const long = invoke(session, 120)
    const seen = new Set<string>()
    const watch = setInterval(() => seen.add(weight(group!)), 5)
    await long
    clearInterval(watch)
    expect(weight(group!)).toBe(usual)
    expect(seen.size).toBeGreaterThan(1)
    expect(await session.idle()).toBe(true)
    expect((await invoke(session, SHORT)).result.status).toBe('succeeded')
    await crowd.end()
  } finally {
    await sessions.close()
  }
  expect(groups(key)).toEqual([])
})

test('without cgroups a session ends where its process could not be raised again, and where runs are forked it goes on', async () => {
  const sessions = await openTestSessions({ limitsMode: 'soft' })
  try {
    const [python, node] = await Promise.all([sessions.python(WORK), sessions.node(WORK_IN_NODE)])
    const crowd = await begin(sessions, CROWD)
    // Long enough to be seen several times by somebody who has to share the processors with all of them.
    const [forked, stayed] = await Promise.all([invoke(python, 500), invoke(node, 500)])
    await crowd.end()
    expect([forked, stayed].map(({ result }) => result.status)).toEqual(['succeeded', 'succeeded'])
    expect(await node.idle()).toBe(false)
    // Sessions that the kernel counts by themselves may be changed ten times in a second, by whomever: it may be refused.
    if (await python.idle()) expect((await invoke(python, SHORT)).result.status).toBe('succeeded')
  } finally {
    await sessions.close()
  }
})

/** Runs that never end by themselves. */
async function begin(sessions: TestSessions, count: number): Promise<{ end(): Promise<CallResult[]> }> {
  const cancel = new AbortController()
  const all = await Promise.all(Array.from({ length: count }, () => sessions.python(WORK)))
  const runs = all.map((session) => invoke(session, ENDLESS, { signal: cancel.signal }))
  return {
    async end() {
      cancel.abort()
      return (await Promise.all(runs)).map(({ result }) => result)
    },
  }
}

function groups(key: string): string[] {
  return cgroupMounts()
    .filter(({ type, options }) => type === 'cgroup2' || options.includes('cpu'))
    .flatMap(({ path }) => readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name)))
    .filter((path) => new RegExp(`/skillet-${key}-[^/]+$`).test(path))
}

/** All that says how much of the processors a group gets. */
function weight(group: string): string {
  const files = readdirSync(group).filter((name) => /^cpu\.(idle|shares|weight)$/.test(name))
  return files.map((name) => `${name} ${readFileSync(join(group, name), 'utf8')}`).join()
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!
