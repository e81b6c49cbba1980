import type { Finding } from '../model/packages.ts'
import { makeFinding } from './finding.ts'
import { MANIFEST_RULES } from './manifest/manifest-rules.ts'
import type { Rule } from './rule.ts'
import { ZIP_RULES } from './zip/zip-rules.ts'

/** The rules of reading a package and of the pipeline around it. */
const RULES = {
  ...ZIP_RULES,
  ...MANIFEST_RULES,
  'internal.validation': {
    severity: 'deny',
    why: 'Skillet itself failed while it looked at the package; nothing is known against the package.',
    fix: 'Upload the package again; if it happens again, report it with the upload id and the server log.',
  },
} satisfies Record<string, Rule>

export type RuleId = keyof typeof RULES

/** Collects findings of catalogued rules. */
export interface Findings {
  add(rule: RuleId, message: string, file?: string | null, line?: number | null): void
  /** True once one of them forbids the package. */
  readonly denied: boolean
  list(): Finding[]
}

/** Beyond this many of one rule only their number is told: an archive may break one rule a thousand times. */
const MOST_PER_RULE = 20

export function createFindings(): Findings {
  const kept = new Map<RuleId, Finding[]>()
  const dropped = new Map<RuleId, number>()
  let denied = false
  return {
    add(rule, message, file = null, line = null) {
      const { severity, fix } = RULES[rule]
      denied ||= severity === 'deny'
      const list = kept.get(rule) ?? []
      if (list.length >= MOST_PER_RULE) {
        dropped.set(rule, (dropped.get(rule) ?? 0) + 1)
        return
      }
      list.push(makeFinding(rule, severity, message, { file: file ?? undefined, line: line ?? undefined }, fix))
      kept.set(rule, list)
    },
    get denied() {
      return denied
    },
    list() {
      const more = [...dropped].map(([rule, count]) =>
        makeFinding(rule, RULES[rule].severity, `${count} more of the same kind.`, {}, RULES[rule].fix),
      )
      return [...[...kept.values()].flat(), ...more]
    },
  }
}
