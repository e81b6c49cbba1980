import { expect, test } from 'vitest'
import { createIsolationGate } from './isolation-gate.ts'

test('a machine that could not be examined holds no skill, and readiness says why', async () => {
  const gate = createIsolationGate()
  await expect(gate.examine(() => Promise.reject(new Error('EMFILE: too many open files')))).rejects.toThrow('EMFILE')
  expect(gate.passed()).toBe(false)
  expect(() => gate.require()).toThrow('It could not be examined: EMFILE: too many open files')
  expect(() => gate.checks()[0]!.check()).toThrow('EMFILE')
})
