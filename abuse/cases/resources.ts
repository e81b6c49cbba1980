import assert from 'node:assert/strict'
import type { AbuseCase } from '../case.ts'

/** Taking more than one's share of memory, processes, files and time. */
export const RESOURCES: readonly AbuseCase[] = [
  {
    number: 2,
    title: 'memory bomb',
    load: 'heavy',
    python: {
      code: `
def handler(input):
    kept = []
    while True: kept.append(bytearray(16 * 2**20))
`,
      outcome: 'failed/memory_limit',
    },
    node: {
      code: `
export function execute() {
  const kept = []
  for (;;) kept.push(Buffer.alloc(16 * 2 ** 20, 1))
}`,
      outcome: 'failed/memory_limit',
      held: ({ session }) => assert.equal(session.usable, false),
    },
  },
]
