// npm run conformance: a real server with sample skills, and all server scenarios of the official MCP suite against it. Ends with 1 where
// one that applies does not pass. Options: --json.
import { parseArgs } from 'node:util'
import { TestServer } from '../tests/e2e/harness.ts'
import { startKeyProxy } from './key-proxy.ts'
import { type Row, runSuite } from './run-suite.ts'
import { deploySamples } from './samples.ts'
import { REVISIONS } from './scenarios.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const server = await TestServer.start()
try {
  await deploySamples(server)
  const proxy = await startKeyProxy(server.url, server.key)
  try {
    const rows: Row[] = []
    for (const revision of REVISIONS) rows.push(...(await runSuite(`${proxy.url}/mcp`, revision)))
    console.log(values.json ? JSON.stringify(rows, null, 2) : report(rows))
    process.exitCode = rows.some(({ verdict }) => verdict === 'failed') ? 1 : 0
  } finally {
    await proxy.close()
  }
} finally {
  await server.stop()
}

function report(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ scenario }) => scenario.length))
  const lines = REVISIONS.flatMap((revision) => [
    '',
    revision,
    ...rows.filter((row) => row.revision === revision).flatMap((row) => lineOf(row, width)),
  ])
  const count = (verdict: Row['verdict']): number => rows.filter((row) => row.verdict === verdict).length
  return [
    ...lines,
    '',
    `${count('passed')} passed, ${count('failed')} failed, ${count('not applicable')} not applicable`,
  ].join('\n')
}

function lineOf({ scenario, verdict, passed, notes }: Row, width: number): string[] {
  const checks = verdict === 'not applicable' ? '' : `${passed} checks`
  const line = `  ${scenario.padEnd(width)}  ${verdict.padEnd(14)}  ${checks}`
  return verdict === 'not applicable' ? [`${line}${notes[0]}`] : [line, ...notes.map((note) => `      ${note}`)]
}
