// A vitest reporter for scripts/test.mjs: how far it is, which tests failed, which passed at their second try only, and counts, with why
// tests were skipped (the built-in reporters leave that out). The built-in `minimal` beside it shows the failures in full.
import { writeFileSync } from 'node:fs'

/** The type of an annotation by a test that does its own second tries: what went wrong at the first. */
const SECOND_TRY = 'second try'
/** Seconds between two lines of progress. */
const EVERY = 60

export default class Counter {
  #files = 0
  #done = { files: 0, passed: 0, failed: 0 }
  #began = Date.now()
  #said = Date.now()

  onTestRunStart(specifications) {
    this.#files = specifications.length
  }

  onTestCaseResult(test) {
    const { state } = test.result()
    if (state === 'passed' || state === 'failed') this.#done[state] += 1
    // At once: what comes hours later may not come at all.
    if (state === 'failed') console.log(`FAIL  ${nameOf(test)}: ${firstLine(test.result().errors[0]?.message ?? '')}`)
  }

  onTestModuleEnd() {
    this.#done.files += 1
    if (Date.now() - this.#said < EVERY * 1000) return
    this.#said = Date.now()
    const { files, passed, failed } = this.#done
    console.log(
      `      ${seconds(Date.now() - this.#began)}: ${files} of ${this.#files} files, ${passed} passed, ${failed} failed`,
    )
  }

  onTestRunEnd(modules, unhandledErrors) {
    const counts = {
      passed: 0,
      failed: 0,
      skipped: [],
      broken: unhandledErrors.length,
      failures: [],
      retried: [],
      slowest: slowest(modules),
    }
    const broke = (where, errors) => {
      for (const { message } of errors) counts.failures.push(`${where}: ${firstLine(message)}`)
    }
    broke('between the tests', unhandledErrors)
    for (const module of modules) {
      // A file that could not be loaded has no tests to count.
      if (module.errors().length > 0) counts.broken += 1
      broke(module.relativeModuleId, module.errors())
      for (const suite of module.children.allSuites()) {
        counts.broken += suite.errors().length
        broke(`${module.relativeModuleId} > ${suite.fullName}`, suite.errors())
      }
      for (const test of module.children.allTests()) {
        const { state, note, errors } = test.result()
        if (state === 'passed') {
          counts.passed += 1
          const first = errors?.[0]?.message ?? test.annotations().find(({ type }) => type === SECOND_TRY)?.message
          if (first !== undefined) counts.retried.push(`${nameOf(test)}: ${firstLine(first)}`)
        } else if (state === 'failed') {
          counts.failed += 1
          broke(nameOf(test), errors.slice(0, 1))
        } else counts.skipped.push({ name: test.fullName, reason: note ?? null })
      }
    }
    writeFileSync(process.env.SKILLET_TEST_COUNTS, JSON.stringify(counts))
  }
}

/** The five files that took longest, as lines. */
function slowest(modules) {
  const timed = modules.map((module) => ({ name: module.relativeModuleId, ms: module.diagnostic().duration }))
  const first = timed.toSorted((a, b) => b.ms - a.ms).slice(0, 5)
  return first.map(({ name, ms }) => `${seconds(ms)}  ${name}`)
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(0)} s`
}

function nameOf(test) {
  return `${test.module.relativeModuleId} > ${test.fullName}`
}

function firstLine(text) {
  return text.split('\n', 1)[0].slice(0, 400)
}
