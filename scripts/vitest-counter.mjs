// A vitest reporter for scripts/test.mjs: counts, and why tests were skipped (the built-in JSON reporter leaves that out).
import { writeFileSync } from 'node:fs'

export default class Counter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: [], broken: unhandledErrors.length }
    for (const module of modules) {
      // A file that could not be loaded has no tests to count.
      if (module.errors().length > 0) counts.broken += 1
      for (const suite of module.children.allSuites()) counts.broken += suite.errors().length
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        if (state === 'passed') counts.passed += 1
        else if (state === 'failed') counts.failed += 1
        else counts.skipped.push({ name: test.fullName, reason: note ?? null })
      }
    }
    writeFileSync(process.env.SKILLET_TEST_COUNTS, JSON.stringify(counts))
  }
}
