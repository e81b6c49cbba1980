import { expect, test } from 'vitest'
import { rangeOf } from './range.ts'

const FILE = { etag: '"now"', size: 10 }

function asked(headers: Readonly<Record<string, string>>, method = 'GET'): ReturnType<typeof rangeOf> {
  const request = () => new Request('http://localhost', { method })
  return rangeOf({ header: (name) => headers[name], request }, FILE)
}

test.each<[string, number, number]>([
  ['bytes=0-0', 0, 1],
  ['bytes=2-', 2, 10],
  ['bytes=-3', 7, 10],
  ['bytes=-99', 0, 10],
  ['bytes=8-99', 8, 10],
])('%s is a range', (range, start, end) => {
  expect(asked({ range })).toEqual({ start, end })
})

test.each(['bytes=0-1,4-5', 'bytes=5-2', 'bytes=-', 'bytes=a-b', 'lines=0-1', `bytes=0-${'9'.repeat(20)}`])(
  '%s is ignored',
  (range) => {
    expect(asked({ range })).toBeNull()
  },
)

test.each(['bytes=10-', 'bytes=-0', 'bytes=999-1000'])('%s is refused', (range) => {
  expect(() => asked({ range })).toThrow('The file has 10 bytes')
})

test('of a file that is another by now, all is sent: who goes on with the old one would put two together', () => {
  const range = 'bytes=5-'
  expect(asked({ range, 'if-range': '"now"' })).toEqual({ start: 5, end: 10 })
  for (const other of ['"before"', 'W/"now"', 'Sat, 21 Nov 2026 10:00:00 GMT', '']) {
    expect(asked({ range, 'if-range': other })).toBeNull()
  }
  expect(asked({ range: 'bytes=99-', 'if-range': '"before"' })).toBeNull()
})

test('the head is that of the whole', () => {
  expect(asked({ range: 'bytes=0-0' }, 'HEAD')).toBeNull()
})
