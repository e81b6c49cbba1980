import { defineConfig } from 'vitest/config'

// Real processes, sandboxes and sockets on two cores: one file at a time per core, generous limits (none is an assertion).
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
})
