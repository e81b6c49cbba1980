import { SkilletError } from '../model/errors.ts'
import type { Finding } from '../model/packages.ts'

/** A package that was not accepted: the first thing that is wrong with it, and how many more there are, as dialects have one text. */
export function rejected(findings: readonly Finding[]): SkilletError {
  return new SkilletError('package_rejected', textOf(findings), { data: { findings } })
}

function textOf(findings: readonly Finding[]): string {
  const denied = findings.filter(({ severity }) => severity === 'deny')
  const [first] = denied
  if (first === undefined) return 'The package was not accepted.'
  const place = first.file === null ? '' : `${first.file}${first.line === null ? '' : `:${first.line}`}: `
  const more = denied.length === 1 ? '' : ` (and ${denied.length - 1} more)`
  const end = /[.!?]$/.test(first.message) ? '' : '.'
  return `${place}${first.message}${end} ${first.fix}${more}`
}
