import { expect, test } from 'vitest'
import { derivedId, isId, newId } from './ids.ts'

const AT = Date.parse('2026-03-29T01:00:00.000Z')

test('a derived id is the same for the same, another for anything else, and an id like others', () => {
  const id = derivedId('run', AT, 'stg_1')
  expect(derivedId('run', AT, 'stg_1')).toBe(id)
  expect(isId('run', id)).toBe(true)
  const others = [
    derivedId('run', AT, 'stg_2'),
    derivedId('run', AT + 1, 'stg_1'),
    derivedId('run', AT, 'stg', '_1'),
    derivedId('delivery', AT, 'stg_1'),
  ]
  expect(new Set([id, ...others].map((one) => one.slice(-16))).size).toBe(5)
})

test('ids sort by their instant, derived ones among new ones', () => {
  const ids = [newId('run', AT - 1), derivedId('run', AT, 'stg_1'), newId('run', AT + 1)]
  expect(ids.toSorted()).toEqual(ids)
})

test('new ids are never the same, also beyond a page of randomness', () => {
  const ids = Array.from({ length: 1000 }, () => newId('run', AT))
  expect(new Set(ids).size).toBe(1000)
  expect(ids.every((id) => isId('run', id))).toBe(true)
})
