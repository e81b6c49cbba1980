import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CHECKS_NOT_APPLICABLE, NOT_APPLICABLE, type Revision } from './scenarios.ts'

export type Verdict = 'passed' | 'failed' | 'not applicable'

/** What came of a scenario. */
export interface Row {
  readonly revision: Revision
  readonly scenario: string
  readonly verdict: Verdict
  /** How many of its checks passed. */
  readonly passed: number
  /** What failed, or why what does not apply does not. */
  readonly notes: readonly string[]
}

interface Check {
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly errorMessage?: string
  readonly details?: { readonly message?: string }
}

const SUITE = join(
  createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'),
  '../dist/index.js',
)
/** For each scenario, in milliseconds: that a machine is slow is no finding. */
const PATIENCE_MS = '300000'
const run = promisify(execFile)

/** Runs all server scenarios of a revision, or of all extensions, against the URL. */
export async function runSuite(url: string, revision: Revision): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'skillet-conformance-'))
  try {
    const scenarios = revision === 'extensions' ? await extensions() : []
    const all =
      revision === 'extensions'
        ? scenarios.filter(applies).map((name) => ['--scenario', name])
        : [['--suite', 'all', '--spec-version', revision]]
    // One after the other: beside each other, two of them failed where the machine was busy.
    for (const args of all) await suite(['server', '--url', url, '-o', folder, '--timeout', PATIENCE_MS, ...args])
    const others = scenarios.filter((name) => !applies(name)).map((name) => rowOf(revision, name, []))
    const rows = await rowsIn(folder, revision)
    for (const [i, row] of rows.entries()) {
      // Scenarios have time limits of their own within, which a busy machine may not keep: what failed has a second try, by itself.
      if (row.verdict === 'failed') rows[i] = await again(url, row)
    }
    return [...rows, ...others].toSorted((a, b) => (a.scenario < b.scenario ? -1 : 1))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function again(url: string, { revision, scenario }: Row): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'skillet-conformance-'))
  try {
    const version = revision === 'extensions' ? [] : ['--spec-version', revision]
    const args = ['--url', url, '-o', folder, '--timeout', PATIENCE_MS, '--scenario', scenario, ...version]
    await suite(['server', ...args])
    const [row] = await rowsIn(folder, revision)
    if (row === undefined) throw new Error(`The suite told nothing of ${scenario}.`)
    return row
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const applies = (scenario: string): boolean => NOT_APPLICABLE[scenario] === undefined

/** Scenarios of extensions: those that no revision of the protocol has. */
async function extensions(): Promise<string[]> {
  const listed = await suite(['list'])
  const servers = listed.slice(listed.indexOf('Server scenarios'), listed.indexOf('Client scenarios'))
  return [...servers.matchAll(/- (\S+) \[extension\]/g)].map(([, name]) => name!)
}

/** It ends with 1 where something failed: what did is in the files. */
async function suite(args: readonly string[]): Promise<string> {
  try {
    return (await run(process.execPath, [SUITE, ...args], { maxBuffer: 2 ** 26 })).stdout
  } catch (error) {
    const { code, stdout } = error as { code?: unknown; stdout?: string }
    if (code === 1 && stdout !== undefined) return stdout
    throw error
  }
}

async function rowsIn(folder: string, revision: Revision): Promise<Row[]> {
  const names = (await readdir(folder)).sort()
  return Promise.all(
    names.map(async (name) => {
      const scenario = name.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '')
      return rowOf(revision, scenario, JSON.parse(await readFile(join(folder, name, 'checks.json'), 'utf8')) as Check[])
    }),
  )
}

function rowOf(revision: Revision, scenario: string, checks: readonly Check[]): Row {
  const passed = checks.filter(({ status }) => status === 'SUCCESS').length
  const why = NOT_APPLICABLE[scenario]
  if (why !== undefined) return { revision, scenario, verdict: 'not applicable', passed, notes: [why] }
  // What the suite itself found nothing to try of, for the reason that it gives.
  if (checks.length > 0 && checks.every(({ status }) => status !== 'SUCCESS' && status !== 'FAILURE')) {
    const said = checks.flatMap(({ errorMessage, details }) => errorMessage ?? details?.message ?? [])
    return {
      revision,
      scenario,
      verdict: 'not applicable',
      passed,
      notes: [`the suite says: ${said[0] ?? 'nothing to try'}`],
    }
  }
  const bad = checks.filter(({ status }) => status === 'FAILURE')
  const excused = bad.filter(({ id }) => id in CHECKS_NOT_APPLICABLE)
  const failed = bad.filter(({ id }) => !(id in CHECKS_NOT_APPLICABLE))
  const notes = [
    ...failed.map(({ id, errorMessage }) => `${id}: ${errorMessage ?? 'failed'}`),
    ...new Set(excused.map(({ id }) => `not applicable: ${id}: ${CHECKS_NOT_APPLICABLE[id]}`)),
  ]
  const warned = checks.filter(({ status }) => status === 'WARNING')
  notes.push(...warned.map(({ id, errorMessage }) => `warning: ${id}: ${errorMessage ?? ''}`))
  // Where nothing was tried nothing has passed.
  const verdict = failed.length > 0 || passed === 0 ? 'failed' : 'passed'
  return { revision, scenario, verdict, passed, notes }
}
