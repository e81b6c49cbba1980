import { expect, test } from 'vitest'
import { z } from 'zod'
import { reportLines } from './report-lines.ts'

const Said = z.object({ n: z.number() })
const read = (text: string): number[] => [...reportLines(text, Said)].map(({ n }) => n)

test('lines are read in order, a few that are none are passed over', () => {
  expect(read('{"n":1}\nWarning: old\n\n{"n":"two"}\n{"n":3}\n{"n":')).toEqual([1, 3])
  expect(read('{"n":1}')).toEqual([1])
  expect(read('')).toEqual([])
})

test('what no program of ours would have written ends the reading: no end of the report stands behind it', () => {
  const end = '\n{"n":9}\n'
  expect(read(`{"n":1}\n${'x\n'.repeat(100)}${end}`)).toEqual([1])
  // Each of them costs as much as a line that says something: all of them took minutes.
  expect(read(`{"n":1}\n${'x\n'.repeat(8 * 2 ** 20)}${end}`)).toEqual([1])
  expect(read(`{"n":1}\n{"n":"${'x'.repeat(9 * 2 ** 20)}"}${end}`)).toEqual([1])
  const many = read(`${'{"n":1}\n'.repeat(200_000)}${end}`)
  expect(many.length).toBeLessThan(20_000)
  expect(many).not.toContain(9)
})
