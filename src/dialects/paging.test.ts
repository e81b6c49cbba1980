import { expect, test } from 'vitest'
import type { Page, PageOptions } from '../model/page.ts'
import { gather } from './paging.ts'

/** Numbers from 1 to `count`, in pages as stores give them: a cursor may lead to nothing. */
function listOf(count: number, asked: number[] = []) {
  return async ({ limit, cursor = '0' }: PageOptions): Promise<Page<number>> => {
    asked.push(limit)
    const from = Number(cursor)
    const items = Array.from({ length: Math.min(limit, count - from) }, (_, i) => from + i + 1)
    return { items, next: items.length < limit ? null : String(from + items.length) }
  }
}

const isOdd = (value: number): boolean => value % 2 === 1

test('a long page is put together of ours, and none is longer than they may be', async () => {
  const asked: number[] = []
  const { items, next } = await gather(listOf(1000, asked), { limit: 450 })
  expect([items.length, items.at(-1), next]).toEqual([450, 450, '450'])
  expect(Math.max(...asked)).toBeLessThanOrEqual(200)
})

test.each([
  ['of all', 10, undefined],
  ['of some', 25, isOdd],
  ['of those that end before the list does', 400, (value: number) => value <= 5],
  ['of none', 300, () => false],
])('pages %s: each item once, and no page of nothing but the first', async (_what, count, keep) => {
  const pages: number[][] = []
  for (let cursor: string | undefined; ;) {
    const page = await gather(listOf(count), { limit: 5, cursor }, keep)
    pages.push(page.items)
    if (page.next === null) break
    cursor = page.next
  }
  const all = Array.from({ length: count }, (_, i) => i + 1).filter(keep ?? (() => true))
  expect(pages.flat()).toEqual(all)
  expect(pages.slice(1).every(({ length }) => length > 0)).toBe(true)
})
