import { posix } from 'node:path'
import { LIMITS } from '../../model/sizes.ts'
import type { Findings } from '../rules.ts'
import { brief } from './fields.ts'
import type { PackageContext } from './package-context.ts'
import { readText } from './text.ts'

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs']

/**
 * The source file of a TypeScript skill. The manifest usually names the compiled file, which packages leave out because Skillet
 * builds from the sources: then the source it was compiled from is looked for.
 */
export function findEntry(
  at: PackageContext,
  manifest: string,
  declared: string | null,
  line: number | null,
  findings: Findings,
): string | null {
  const entry = declared === null ? null : posix.normalize(declared)
  if (entry !== null && (entry.startsWith('../') || entry.startsWith('/'))) {
    findings.add('manifest.entry', `The entry ${brief(declared)} leads out of the package.`, manifest, line)
    return null
  }
  if (entry !== null && at.has(entry)) return entry
  const candidates = [
    ...new Set([...sourcesOf(entry), 'index.ts', 'src/index.ts', ...mainOf(at, findings), 'index.js']),
  ]
  const present = candidates.filter((path) => at.has(path))
  const chosen = present[0]
  if (chosen === undefined) {
    const what =
      declared === null
        ? 'No entry is named, and there is no index.ts'
        : `${brief(declared)} is not in the package, nor is its source`
    findings.add('manifest.entry_missing', `${what}.`, manifest, line)
    return null
  }
  if (present.length > 1) {
    const message = `${brief(declared ?? 'The entry')} is not in the package; ${chosen} is taken, but ${present.slice(1).join(', ')} could be meant.`
    findings.add('manifest.entry_guessed', message, manifest, line)
  }
  return chosen
}

/** `dist/index.js` -> `src/index.ts`, `index.ts`, … */
function sourcesOf(entry: string | null): string[] {
  if (entry === null) return []
  const stem = entry.replace(/\.[cm]?[jt]s$/, '')
  const below = stem.replace(/^(dist|build|lib|out)\//, '')
  const stems = [stem, ...(below === stem ? [] : [`src/${below}`, below])]
  return stems.flatMap((one) => EXTENSIONS.map((extension) => one + extension))
}

function mainOf(at: PackageContext, findings: Findings): string[] {
  if (!at.has('package.json')) return []
  const text = readText(at.dir, 'package.json', LIMITS.manifestBytes, findings)
  if (text === null) return []
  try {
    const { main } = JSON.parse(text) as { main?: unknown }
    return typeof main === 'string' ? [posix.normalize(main)] : []
  } catch {
    findings.add('manifest.json', 'package.json is not valid JSON.', 'package.json')
    return []
  }
}
