import { expect, test } from 'vitest'
import type { Engine } from '../ports.ts'
import { LONG, NOTE, OVER, type Place, SUCCEEDED, admit, newRun, settle } from './engine-fixtures.ts'

/** Tenants take turns. */
export function queueTurnsContract(engine: () => Engine): void {
  async function places(count: number): Promise<Place[]> {
    const all: Place[] = []
    for (let i = 0; i < count; i++) all.push(await settle(engine()))
    return all
  }

  async function line(place: Place, count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => admit(engine().runs, place)))
  }

  /** Whose runs are taken, one by one, by their place in the list. */
  async function turns(all: readonly Place[], count: number): Promise<string> {
    let order = ''
    for (let i = 0; i < count; i++) {
      const [claim] = await engine().runs.take('default', 1, LONG)
      if (claim === undefined) break
      order += all.findIndex(({ tenant }) => tenant === claim.run.tenant)
      await engine().runs.finish(claim.run.id, claim.token, SUCCEEDED)
    }
    return order
  }

  test('however many runs one tenant has in the line, the first of another is next but one', async () => {
    const all = await places(2)
    await line(all[0]!, 10_000)
    expect(await turns(all, 3)).toBe('000')
    await line(all[1]!, 3)
    expect(await turns(all, 6)).toBe('010101')
    expect(await turns(all, 3)).toBe('000')
  }, 120_000)

  test('three tenants with long lines take turns', async () => {
    const all = await places(3)
    for (const place of all) await line(place, 20)
    const order = await turns(all, 60)
    for (let i = 0; i < 60; i += 3)
      expect(
        order
          .slice(i, i + 3)
          .split('')
          .toSorted()
          .join(''),
      ).toBe('012')
  })

  test('who comes back after a while has no turns saved up', async () => {
    const all = await places(2)
    await line(all[1]!, 1)
    expect(await turns(all, 1)).toBe('1')
    await line(all[0]!, 50)
    expect(await turns(all, 30)).toBe('0'.repeat(30))
    await line(all[1]!, 10)
    const order = await turns(all, 30)
    expect(order.slice(0, 20)).toBe('01'.repeat(10))
  })

  test('what is tried again has no turns saved up either, and comes behind its own tenant’s line', async () => {
    const { runs } = engine()
    const all = await places(2)
    await line(all[0]!, 10)
    await line(all[1]!, 10)
    const failed = { ...SUCCEEDED, status: 'failed', reason: 'timeout', output: null } as const
    const again: string[] = []
    for (const { run, token } of await runs.take('default', 10, LONG)) {
      if (run.tenant === all[1]!.tenant) await runs.finish(run.id, token, SUCCEEDED)
      else {
        await runs.retry(run.id, token, failed, 0)
        again.push(run.id)
      }
    }
    expect(again).toHaveLength(5)
    expect(await turns(all, 10)).toBe('0101010101')
    const last = await runs.take('default', 10, LONG)
    expect(last.map(({ run }) => run.id)).toEqual(again)
  })

  test('of many takers at once each gets what comes next', async () => {
    const all = await places(3)
    for (const place of all) await line(place, 4)
    const claims = await engine().runs.take('default', 6, LONG)
    expect(claims.map(({ run }) => all.findIndex(({ tenant }) => tenant === run.tenant)).join('')).toBe('012012')
  })

  test('a place that is free while a run is admitted goes to whose turn it is', async () => {
    const all = await places(2)
    await line(all[0]!, 5)
    const first = await engine().runs.admit(newRun(all[1]!), 'default', NOTE, { take: { leaseMs: LONG } })
    const second = await engine().runs.admit(newRun(all[0]!), 'default', NOTE, { take: { leaseMs: LONG } })
    const taken = [first, second].map((one) => (one.outcome === 'admitted' ? one.taken[0]!.run.tenant : ''))
    expect(taken).toEqual([all[0]!.tenant, all[1]!.tenant])
  })

  test('a run whose lease ran out is taken before those that never began', async () => {
    const [place] = await places(1)
    await line(place!, 3)
    const [lost] = await engine().runs.take('default', 1, OVER)
    const [next] = await engine().runs.take('default', 1, LONG)
    expect(next!.run.id).toBe(lost!.run.id)
  })

  test('a run of a long line whose lease ran out, or that was handed back, comes next also when that line is gone', async () => {
    const { runs } = engine()
    const all = await places(2)
    await line(all[0]!, 50)
    const early = await runs.take('default', 48, LONG)
    const [back] = await runs.take('default', 1, LONG)
    const [lost] = await runs.take('default', 1, OVER)
    for (const { run, token } of early) await runs.finish(run.id, token, SUCCEEDED)
    await line(all[1]!, 30)
    await runs.release(back!.run.id, back!.token)
    const next = await runs.take('default', 2, LONG)
    expect(next.map(({ run }) => run.id)).toEqual([back!.run.id, lost!.run.id])
  })
}
