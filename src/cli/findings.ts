import type { Finding } from '../model/packages.ts'
import type { Paint } from './io.ts'

/** Findings as compilers print them: place, rule, message, remedy. Those that forbid the package come first. */
export function findingsText(findings: readonly Finding[], paint: Paint): string {
  const sorted = findings.toSorted((a, b) => a.severity.localeCompare(b.severity))
  return sorted
    .map(({ severity, file, line, rule, message, fix }) => {
      const place = file === null ? 'package' : line === null ? file : `${file}:${line}`
      const kind = severity === 'deny' ? paint('red', 'denied ') : paint('yellow', 'warning')
      return `${kind}  ${paint('bold', place)}  ${message}  ${paint('dim', rule)}\n         ${fix}\n`
    })
    .join('')
}
