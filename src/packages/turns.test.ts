import { expect, test } from 'vitest'
import { createTurns } from './turns.ts'

const forever = new AbortController().signal
const settled = async (promises: Promise<unknown>[]): Promise<boolean[]> => {
  const states = promises.map(() => false)
  promises.forEach((promise, i) => void promise.then(() => (states[i] = true)))
  await new Promise((resolve) => setImmediate(resolve))
  return states
}

test('a tenant that sends a hundred packages is not waited for by another with one', async () => {
  const turns = createTurns(2)
  const flood = Array.from({ length: 100 }, () => turns.enter('flood', forever))
  const other = [turns.enter('other', forever), turns.enter('other', forever)]
  expect((await settled(flood)).indexOf(false)).toBe(2)
  ;(await flood[0]!)()
  expect(await settled(other)).toEqual([true, false])
  // One each: the next turn is that of who came first.
  ;(await flood[1]!)()
  expect((await settled(flood)).indexOf(false)).toBe(3)
  ;(await flood[2]!)()
  expect((await settled(flood)).indexOf(false)).toBe(4)
  ;(await other[0]!)()
  expect(await settled(other)).toEqual([true, true])
})

test('two tenants that send a hundred packages each do not keep a third one waiting', async () => {
  const turns = createTurns(2)
  const leaves: (() => void)[] = []
  for (const tenant of ['one', 'two']) {
    for (let i = 0; i < 100; i++) void turns.enter(tenant, forever).then((leave) => leaves.push(leave))
  }
  const third = turns.enter('third', forever)
  for (let i = 0; i < 4; i++) {
    await settled([third])
    leaves.shift()!()
  }
  expect(await settled([third])).toEqual([true])
})

test('who gives up waiting costs nobody a turn', async () => {
  const turns = createTurns(1)
  const leave = await turns.enter('a', forever)
  const stop = new AbortController()
  const waiting = turns.enter('b', stop.signal)
  const last = turns.enter('c', forever)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(turns.enter('b', stop.signal)).rejects.toThrow('enough')
  leave()
  ;(await last)()
  ;(await turns.enter('a', forever))()
})
