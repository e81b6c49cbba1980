import { expect, test } from 'vitest'
import { SandboxError } from './driver.ts'
import { Room, type RoomOptions, type Seat } from './room.ts'

/** A room, and visits to it by name: who is in, in the order in which they came in. */
function open(options: RoomOptions) {
  const room = new Room(options)
  const inside: string[] = []
  const seats = new Map<string, Seat>()
  return {
    room,
    inside,
    seats,
    async visit(name: string, memory_mb: number, tenant: string | null = name, signal?: AbortSignal): Promise<void> {
      const seat = await room.enter({ memory_mb, tenant }, signal)
      inside.push(name)
      seats.set(name, seat)
    },
    /** And lets those in line in. */
    async leave(name: string): Promise<void> {
      seats.get(name)!.leave()
      inside.splice(inside.indexOf(name), 1)
      await Promise.resolve()
      await Promise.resolve()
      await Promise.resolve()
    },
  }
}

test('the sum of the limits never passes what there is, tools included', async () => {
  const { room, visit, inside, leave } = open({ memory_mb: 1000 })
  await visit('session', 600)
  await visit('tool', 300, null)
  const third = visit('third', 200)
  expect(room.state).toEqual({ used_mb: 900, limit_mb: 1000, waiting: 1 })
  await leave('tool')
  await third
  expect(inside).toEqual(['session', 'third'])
  expect(room.state).toEqual({ used_mb: 800, limit_mb: 1000, waiting: 0 })
})

test('what is larger than all there is is refused at once, with the remedy', async () => {
  const { room } = open({ memory_mb: 1000 })
  const refused = await room.enter({ memory_mb: 1001, tenant: 'a' }).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(SandboxError)
  expect(refused).toMatchObject({
    message: expect.stringContaining('1001 MB'),
    fix: expect.stringContaining('--memory-factor'),
  })
  expect(room.state.waiting).toBe(0)
})

test('a large one that waits is not passed by small ones, whatever comes', async () => {
  const { visit, inside, leave } = open({ memory_mb: 1000 })
  await visit('a', 500)
  await visit('b', 400)
  const large = visit('large', 900)
  const small = visit('small', 100)
  await leave('b')
  expect(inside).toEqual(['a'])
  await leave('a')
  await Promise.all([large, small])
  expect(inside).toEqual(['large', 'small'])
})

test('who waits for their own cap alone keeps nobody else waiting, and comes in before those of theirs that came later', async () => {
  const { visit, inside, leave } = open({ memory_mb: 10_000, maxSessions: 10, maxSessionsPerTenant: 2 })
  await visit('a1', 1, 'a')
  await visit('a2', 1, 'a')
  const third = visit('a3', 1, 'a')
  const fourth = visit('a4', 1, 'a')
  await visit('b1', 1, 'b')
  await visit('tool', 1, null)
  expect(inside).toEqual(['a1', 'a2', 'b1', 'tool'])
  await leave('b1')
  expect(inside).toEqual(['a1', 'a2', 'tool'])
  await leave('a1')
  await third
  await leave('a2')
  await fourth
  expect(inside).toEqual(['tool', 'a3', 'a4'])
})

test('who waits behind one that waits for its own cap alone gets what is free', async () => {
  const { visit, inside, leave } = open({ memory_mb: 1000, maxSessions: 10, maxSessionsPerTenant: 1 })
  await visit('a1', 100, 'a')
  await visit('b', 800)
  const held = visit('a2', 100, 'a')
  const large = visit('large', 500)
  await leave('b')
  await large
  expect(inside).toEqual(['a1', 'large'])
  await leave('a1')
  await held
})

test('the number of sessions is capped, that of tools is not', async () => {
  const { visit, inside, leave } = open({ memory_mb: 10_000, maxSessions: 1, maxSessionsPerTenant: 1 })
  await visit('a', 1)
  const second = visit('b', 1)
  const tool = visit('tool', 1, null)
  expect(inside).toEqual(['a'])
  await leave('a')
  await Promise.all([second, tool])
  expect(inside).toEqual(['b', 'tool'])
})

test('a tenant has half of all places unless told otherwise', async () => {
  const { visit, inside } = open({ memory_mb: 10_000, maxSessions: 4 })
  await visit('a1', 1, 'a')
  await visit('a2', 1, 'a')
  void visit('a3', 1, 'a')
  await visit('b1', 1, 'b')
  expect(inside).toEqual(['a1', 'a2', 'b1'])
})

test('as much as is missing is asked to go, once, of the tenant itself where its own cap is what is missing', async () => {
  const { room, visit, seats, leave } = open({ memory_mb: 1100, maxSessions: 10, maxSessionsPerTenant: 3 })
  const asked: (string | null)[] = []
  const idle = ['a1', 'b1', 'b2', 'b3', 'a2']
  room.whenFull((tenant) => {
    const which = idle.findIndex((name) => tenant === null || name.startsWith(tenant))
    if (which === -1) return false
    asked.push(tenant)
    seats.get(idle.splice(which, 1)[0]!)!.going()
    return true
  })
  for (const name of ['a1', 'a2', 'a3']) await visit(name, 100, 'a')
  await visit('b1', 400, 'b')
  await visit('b2', 200, 'b')
  await visit('b3', 200, 'b')
  const fourth = visit('a4', 100, 'a')
  expect(asked).toEqual(['a'])
  const large = visit('c', 500)
  expect(asked).toEqual(['a', null, null])
  room.reconsider()
  expect(asked).toHaveLength(3)
  await leave('a1')
  await fourth
  await leave('b1')
  await leave('b2')
  await large
  expect(idle).toEqual(['b3', 'a2'])
})

test('who gives up waiting is gone from the line, and those behind move up', async () => {
  const { room, visit, inside } = open({ memory_mb: 1000 })
  await visit('a', 500)
  const patience = new AbortController()
  const large = visit('large', 600, 'large', patience.signal)
  const small = visit('small', 500)
  patience.abort(new Error('enough'))
  await expect(large).rejects.toThrow('enough')
  await small
  expect(inside).toEqual(['a', 'small'])
  await expect(room.enter({ memory_mb: 1, tenant: 'b' }, AbortSignal.abort(new Error('before')))).rejects.toThrow(
    'before',
  )
})

test('who gives up at the very moment of getting a seat takes nobody else out of the line', async () => {
  const { visit, leave, seats, inside } = open({ memory_mb: 1000 })
  await visit('a', 600)
  const patience = new AbortController()
  const second = visit('b', 600, 'b', patience.signal)
  const third = visit('c', 600)
  seats.get('a')!.leave()
  patience.abort(new Error('enough'))
  await second
  await leave('b')
  await third
  expect(inside).toEqual(['a', 'c'])
})

test('what is offered takes nothing that somebody waits for', async () => {
  const { room, visit } = open({ memory_mb: 1000, maxSessions: 10, maxSessionsPerTenant: 1 })
  const wish = { memory_mb: 100, tenant: 'spare' }
  await visit('a', 700)
  void visit('held', 100, 'a')
  const offered = room.offer(wish)
  expect(offered).not.toBeNull()
  expect(room.offer(wish)).toBeNull()
  offered!.leave()
  offered!.leave()
  expect(room.state.used_mb).toBe(700)
  void visit('large', 400)
  expect(room.offer(wish)).toBeNull()
})
