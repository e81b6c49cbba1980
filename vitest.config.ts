import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Half a minute and more. Begun last, they would go on alone when everything else is done. */
const LONG = ['tests/e2e/abuse.test.ts', 'tests/e2e/torture.test.ts', 'tests/e2e/invoke.test.ts']

class LongOnesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = LONG.findIndex((name) => moduleId.endsWith(name))
  return at === -1 ? LONG.length : at
}

/** These look at the processes, descriptors and sockets of their own process: what another file left would be found. */
const OWN = ['src/runtime/**/*.test.ts', 'tests/**/*.test.ts']

// Real processes, sandboxes and sockets on two cores: generous limits (none is an assertion). Much of it is waiting: one file at a time per
// core leaves a third of the machine idle.
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 3,
    sequence: { sequencer: LongOnesFirst },
    testTimeout: 900_000,
    hookTimeout: 900_000,
    expect: { poll: { timeout: 90_000 } },
    // What passes at its second try only is told at the end of `npm test`: see scripts/vitest-counter.mjs.
    retry: 1,
    dangerouslyIgnoreUnhandledErrors: false,
    projects: [
      { extends: true, test: { name: 'own', include: OWN } },
      // A process serves many files: a third of a second for each to start one and to load the same modules again.
      { extends: true, test: { name: 'shared', include: ['src/**/*.test.ts'], exclude: OWN, isolate: false } },
    ],
  },
})
