import type { Finding } from '../model/packages.ts'

/**
 * One thing found in a package.
 * @param rule Stable id, `area.what`, such as `zip.traversal`. Ids never change meaning.
 * @param message What was found, this time: names the value.
 * @param at File relative to the package root, 1-based line and column, where they are known.
 * @param fix What the owner of the package can do about it.
 */
export function makeFinding(
  rule: string,
  severity: Finding['severity'],
  message: string,
  at: { file?: string | null | undefined; line?: number | null | undefined; column?: number | null | undefined },
  fix: string,
): Finding {
  return { rule, severity, message, file: at.file ?? null, line: at.line ?? null, column: at.column ?? null, fix }
}

/** True when one of the findings forbids the package. */
export function isDenied(findings: readonly Finding[]): boolean {
  return findings.some((one) => one.severity === 'deny')
}
