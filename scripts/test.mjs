// npm test: set-up, the versions really used; then the tests, and beside them types, lint, format, dead code, package. Ends with "N passed, N failed".
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NODE, SetupError, UV, ask, bold, dim, green, manifest, red, run, say, toolEnv } from './lib.mjs'
import { setupOrExit, systemPackage } from './setup.mjs'

const STEPS = [
  ['types', 'tsc', ['--noEmit', '-p', '.']],
  ['types of the examples', 'tsc', ['-p', 'examples']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['format', 'oxfmt', ['--check']],
  ['dead code', 'knip', []],
  ['build', NODE, ['scripts/build.mjs']],
  ['package', 'publint', ['--strict']],
]

const total = { passed: 0, failed: 0, failures: [] }
await setupOrExit()
await wanted('runsc')
await timed('versions', () => versions())
// The tests are often waiting for something: the other steps fill those gaps. What runs is always the sources, never what is built.
const [{ skipped, slowest, retried }] = await Promise.all([tests(process.argv.slice(2)), steps()])
list('Longest', slowest)
list('Passed at the second try only', retried)
list(red('Failed'), total.failures)
list(
  'Skipped',
  skipped.map(({ name, reason }) => `${name}: ${reason ?? 'no reason given'}`),
)
console.log(`${total.passed} passed, ${total.failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`)
process.exitCode = total.failed === 0 ? 0 : 1

/** A package that only tests need: without it they are skipped, and listed with the reason. */
async function wanted(name) {
  try {
    await systemPackage(name)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(dim(`      ${name} is not there and was not installed: ${error.fix}`))
  }
}

/** One after the other. */
async function steps() {
  for (const [name, program, args] of STEPS) {
    await timed(name, async () => {
      const { code, output } = await run(program, args, { env: toolEnv() })
      return code === 0 ? null : `${[program, ...args].join(' ')} ended with ${code}\n${output.trim()}`
    })
  }
}

/** One step: its work answers null, or with what is wrong. */
async function timed(name, work) {
  const began = Date.now()
  const complaint = await work()
  const time = dim(`${((Date.now() - began) / 1000).toFixed(1)} s`)
  total[complaint === null ? 'passed' : 'failed'] += 1
  if (complaint !== null) total.failures.push(name)
  say(complaint === null ? `${green('ok')}    ${name} ${time}` : `${red('FAIL')}  ${name} ${time}\n${complaint}\n`)
}

/** npm may install other versions than those that were tried: what counts is what runs. */
async function versions() {
  const all = { ...manifest.dependencies, ...manifest.devDependencies }
  const wrong = []
  for (const [program, name] of [
    ['node', 'node'],
    ['tsc', 'typescript'],
    ['vitest', 'vitest'],
    ['oxlint', 'oxlint'],
    ['oxfmt', 'oxfmt'],
    ['knip', 'knip'],
    ['publint', 'publint'],
  ]) {
    const { output } = await run(program, ['--version'], { env: toolEnv() })
    const version = /\d+\.\d+\.\d+/.exec(output)?.[0] ?? 'none'
    say(dim(`      ${program} ${version}`))
    if (version !== all[name]) wrong.push(`${program} is ${version}, package.json says ${all[name]}: run npm ci`)
  }
  for (const [program, args] of [
    [UV, ['--version']],
    ['/usr/bin/python3', ['--version']],
    ['bwrap', ['--version']],
  ]) {
    const version = ask(program, args)
    say(dim(`      ${version ?? `${program} is missing`}`))
    if (version === null) wrong.push(`${program} --version failed: run npm run setup`)
  }
  return wrong.length === 0 ? null : wrong.join('\n')
}

/** All of vitest: what failed in full, and how far it is. Arguments are file filters. Answers with what is told again at the end. */
async function tests(filters) {
  const folder = mkdtempSync(join(tmpdir(), 'skillet-test-'))
  try {
    const file = join(folder, 'counts.json')
    say(bold('tests'))
    const reporters = ['--reporter=minimal', '--reporter=./scripts/vitest-counter.mjs']
    const { code } = await run('vitest', ['run', ...reporters, ...filters], {
      env: { ...toolEnv(), SKILLET_TEST_COUNTS: file },
      live: true,
    })
    const counts = readCounts(file)
    if (counts === null) say(red(`vitest ended with ${code} and counted nothing.`))
    const { passed, failed, broken } = counts ?? { passed: 0, failed: 0, broken: 0 }
    // A crash, an error between tests or an empty run is a failure even where no test failed.
    const crashed = failed + broken === 0 && (code !== 0 || passed === 0) ? 1 : 0
    total.passed += passed
    total.failed += failed + broken + crashed
    total.failures.push(...(counts?.failures ?? []))
    return counts ?? { skipped: [], slowest: [], retried: [] }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What is told at the end, where the last lines of a long output are read. */
function list(title, lines) {
  if (lines.length > 0) say(`\n${title}:\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}
