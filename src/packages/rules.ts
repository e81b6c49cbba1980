import type { Finding } from '../model/packages.ts'
import { makeFinding } from './finding.ts'
import { MANIFEST_RULES } from './manifest/manifest-rules.ts'
import { AUTHORING_RULES } from './profiles/authoring-rules.ts'
import { FORMAT_RULES } from './profiles/format-rules.ts'
import type { Level, RuleSet } from './profiles/profile.ts'
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

/** The rules of a SKILL.md: how much they weigh depends on who asks. */
const PROFILE_RULES = { ...FORMAT_RULES, ...AUTHORING_RULES }

export type RuleId = keyof typeof RULES | keyof typeof PROFILE_RULES

const levelOf = (id: RuleId, set: RuleSet): Level =>
  id in PROFILE_RULES
    ? PROFILE_RULES[id as keyof typeof PROFILE_RULES].levels[set]
    : RULES[id as keyof typeof RULES].severity

const EVERY_RULE = { ...RULES, ...PROFILE_RULES }
const fixOf = (id: RuleId): string => EVERY_RULE[id].fix

/** Why a rule is there and what to do about it; null for the rules of scan and build, which the server knows. */
export function describeRule(id: string): { readonly why: string; readonly fix: string } | null {
  return Object.hasOwn(EVERY_RULE, id) ? EVERY_RULE[id as RuleId] : null
}

/** Collects findings of catalogued rules. */
export interface Findings {
  /** @param fix Default: what the rule says. */
  add(
    rule: RuleId,
    message: string,
    file?: string | null,
    line?: number | null,
    column?: number | null,
    fix?: string | null,
  ): void
  /** True once one of them forbids the package. */
  readonly denied: boolean
  list(): Finding[]
}

/** Beyond this many of one rule only their number is told: an archive may break one rule a thousand times. */
const MOST_PER_RULE = 20

/** @param set Who asks: what is off for them is not kept. */
export function createFindings(set: RuleSet = 'upload'): Findings {
  const kept = new Map<RuleId, Finding[]>()
  const dropped = new Map<RuleId, number>()
  let denied = false
  return {
    add(rule, message, file = null, line = null, column = null, fix = null) {
      const severity = levelOf(rule, set)
      if (severity === 'off') return
      denied ||= severity === 'deny'
      const list = kept.get(rule) ?? []
      if (list.length >= MOST_PER_RULE) {
        dropped.set(rule, (dropped.get(rule) ?? 0) + 1)
        return
      }
      list.push(makeFinding(rule, severity, message, { file, line, column }, fix ?? fixOf(rule)))
      kept.set(rule, list)
    },
    get denied() {
      return denied
    },
    list() {
      const more = [...dropped].map(([rule, count]) => {
        const { severity } = kept.get(rule)![0]!
        return makeFinding(rule, severity, `${count} more of the same kind.`, {}, fixOf(rule))
      })
      return [...[...kept.values()].flat(), ...more]
    },
  }
}
