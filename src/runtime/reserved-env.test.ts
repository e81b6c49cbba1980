import { expect, test } from 'vitest'
import { isReservedEnv, stripReservedEnv, withoutReserved } from './reserved-env.ts'

test.each([
  'AWS_SECRET_ACCESS_KEY',
  'aws_region',
  'AGENT_RUNNER_TOKEN',
  'SKILLET_KEY',
  'PYTHONPATH',
  'PYTHONSTARTUP',
  'Ld_Preload',
  'DYLD_INSERT_LIBRARIES',
  'NODE_OPTIONS',
  'NODE_CHANNEL_FD',
  'BASH_ENV',
  'ENV',
])('%s may not be set', (name) => {
  expect(isReservedEnv(name)).toBe(true)
})

test.each(['API_KEY', 'NODE_ENV', 'WEATHER_API_KEY', 'TZ', 'ENVIRONMENT', 'MY_AWS_KEY'])('%s may be set', (name) => {
  expect(isReservedEnv(name)).toBe(false)
})

test('what no process can have is left out, and nothing is inherited', () => {
  const kept = stripReservedEnv({ A: '1', LD_PRELOAD: 'x', 'B=C': '1', D: 'a\0b', '': 'x' })
  expect(Object.entries(kept)).toEqual([['A', '1']])
  expect(Object.getPrototypeOf(kept)).toBeNull()
})

test('of other things by name, those with reserved ones are left out', () => {
  expect(withoutReserved({ DB: 1, Ld_Preload: 2, aws_x: 3 })).toEqual({ DB: 1 })
})
