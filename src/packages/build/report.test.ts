import { expect, test } from 'vitest'
import type { ToolResult } from '../../runtime/driver.ts'
import { readBuildReport } from './report.ts'

const said = (...lines: object[]): ToolResult => ({
  ended: 'exit',
  exitCode: 0,
  stdout: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  stderr: '',
  denied: [],
  usage: { wall_ms: 1, cpu_ms: 1, peak_memory_bytes: 1, limits: 'hard' },
})
const finding = (rule: string) => ({ finding: { rule, message: 'It is so', file: null, line: null } })
const FORGED = { rule: 'build.failed', severity: 'deny', message: expect.stringContaining('tampered with it') }

test.each(['build.no_such_rule', 'toString', '__proto__', 'x'.repeat(100_000)])(
  'a report with a rule that there is not is refused by a finding: %.30s',
  (rule) => {
    const report = readBuildReport(
      said({ lock: { name: 'requirements.lock', text: 'six' } }, finding(rule), { end: true }),
      {
        online: true,
      },
    )
    expect(report).toMatchObject({ findings: [FORGED], complete: false, locks: {}, needs: null })
    expect(report.findings[0]!.message.length).toBeLessThan(300)
  },
)

test('a build that had the index in reach and says that it needs it has not said what became of it', () => {
  const needs = { needs: { kind: 'python', names: ['six'] } }
  expect(readBuildReport(said(needs), { online: false })).toMatchObject({ needs: needs.needs, findings: [] })
  expect(readBuildReport(said(needs, { end: true }), { online: true })).toMatchObject({
    findings: [FORGED],
    complete: false,
    needs: null,
  })
})

test('a hundred thousand findings are not passed on', () => {
  const many = Array.from({ length: 100_000 }, () => finding('build.direct_url'))
  expect(readBuildReport(said(...many), { online: true }).findings).toHaveLength(200)
  const hidden = Array.from({ length: 300 }, () => finding('build.network_denied'))
  const report = readBuildReport(said(...hidden, finding('build.failed'), { end: true }), { online: true })
  expect(report.complete).toBe(false)
  expect(report.findings).toHaveLength(201)
})
