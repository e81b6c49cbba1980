import type { Runtimes } from '../runtime/runtimes.ts'
import type { Finding } from '../model/packages.ts'
import type { Draft } from './draft.ts'
import { createFindings } from './rules.ts'

/**
 * What the package will run on: the runtime that it declares, or this machine's default, by the exact name that its version records. A
 * finding forbids what this machine does not have.
 */
export function settleRuntime(
  draft: Draft,
  runtimes: Pick<Runtimes, 'all' | 'find'>,
): { readonly draft: Draft; readonly findings: Finding[] } {
  const findings = createFindings()
  const runtime = runtimes.find(draft.runtime)
  if (runtime === null) {
    const there = runtimes.all.map(({ name }) => name).join(', ')
    const at = draft.declared_at
    findings.add(
      'manifest.runtime_missing',
      `The package runs on ${draft.runtime}; this server has ${there}.`,
      at?.file,
      at?.runtime_line,
    )
  }
  return { draft: { ...draft, runtime: runtime?.name ?? draft.runtime }, findings: findings.list() }
}
