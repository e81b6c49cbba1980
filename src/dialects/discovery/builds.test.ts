import { expect, test } from 'vitest'
import { createBuilds } from './builds.ts'

const never = new AbortController().signal

test('who asks for the same meanwhile waits for the same; who asks later has it made anew', async () => {
  const builds = createBuilds()
  const { promise, resolve } = Promise.withResolvers<string>()
  let made = 0
  const build = () => (made++ === 0 ? promise : Promise.resolve('second'))
  const waiting = [builds.of('a', never, build), builds.of('a', never, build)]
  expect(await builds.of('b', never, () => Promise.resolve('other'))).toBe('other')
  resolve('first')
  expect(await Promise.all(waiting)).toEqual(['first', 'first'])
  expect(await builds.of('a', never, build)).toBe('second')
})

test('one who leaves ends nothing for the others, and what failed is told to those who wait', async () => {
  const builds = createBuilds()
  const { promise, reject } = Promise.withResolvers<string>()
  const client = new AbortController()
  const left = builds.of('a', client.signal, () => promise)
  const stays = builds.of('a', never, () => Promise.resolve('not asked'))
  client.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  reject(new Error('no disk'))
  await expect(stays).rejects.toThrow('no disk')
  expect(await builds.of('a', never, () => Promise.resolve('again'))).toBe('again')
  await expect(builds.of('a', client.signal, () => promise)).rejects.toThrow('gone')
})
