import type { Finding } from '../../model/packages.ts'
import type { ImportedModule } from '../draft.ts'
import { scanFinding } from './report.ts'

/** Python modules that nothing provides, one finding for each. @param provided First parts of the names that dependencies bring. */
export function missingModules(imports: readonly ImportedModule[], provided: ReadonlySet<string>): Finding[] {
  const seen = new Set<string>()
  const findings: Finding[] = []
  for (const { module, file, line, stdlib } of imports) {
    const name = module.split('.')[0]!
    if (stdlib || provided.has(name) || seen.has(name)) continue
    seen.add(name)
    findings.push(
      scanFinding(
        'python.import.undeclared',
        `"${name}" is neither in the standard library nor in the package nor in a dependency`,
        file,
        line,
      ),
    )
  }
  return findings
}
