import { expect, test } from 'vitest'
import { createMeter } from './meter.ts'

test('many small pieces wait for each other as much data does, and are counted as what they are', () => {
  let told = 0
  const meter = createMeter({ bytes: 2 ** 30, byteRate: 50_000_000 }, ({ bytes_out }) => (told = bytes_out))
  const waits = Array.from({ length: 10_000 }, () => meter.count('out', 1)!)
  expect(Math.max(...waits)).toBeGreaterThan(100)
  meter.close()
  expect(told).toBe(10_000)
})
