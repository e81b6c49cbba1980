import type { YamlMap } from '../manifest/yaml.ts'
import type { Findings, RuleId } from '../rules.ts'
import { descriptionOf } from './check-face.ts'

/** How the description is written. What is not English is left alone: nothing is known of it. */
export function checkStyle(map: YamlMap, findings: Findings): void {
  const description = descriptionOf(map)?.slice(0, 2000) ?? null
  if (description === null) return
  const at = map.valueAt('description')
  const add = (rule: RuleId, message: string): void => findings.add(rule, message, map.file, at?.line, at?.column)
  const person = PERSON.exec(withoutQuotes(description))
  if (person !== null) add('authoring.third_person', `The description says "${person[0].trim()}".`)
  if (!isSpaced(description)) return
  const words = description.split(/\s+/).length
  if (words < FEWEST_WORDS)
    add('authoring.says_what', `The description has ${words} ${words === 1 ? 'word' : 'words'}.`)
  if (ENGLISH.test(description) && !WHEN.test(description))
    add('authoring.says_when', 'The description does not say when the skill is to be used.')
}

const FEWEST_WORDS = 5
const VERB =
  '(?:am|can|will|help|have|do|would|should|need|want|use|provide|create|write|make|process|analy[sz]e|generate|review|read|extract|convert)'
const PERSON = new RegExp(
  `\\bI(?:['’](?:m|ll|ve|d)\\b| ${VERB}\\b)|\\b[Ww]e (?:can|will|help|use|provide)\\b|\\b(?:help|helps|let|lets|allow|allows) me\\b|\\b[Yy]ou (?:can|should|may|must) use\\b|^You (?:can|should|will)\\b|\\b[Hh]elps? you\\b|\\b[Ll]ets? you\\b|\\b[Aa]llows? you\\b`,
)
const ENGLISH = /\b(?:the|and|of|for|with|from|this|that|to)\b/i
const WHEN =
  /\b(?:when|whenever|while|if|trigger|triggers|triggered|whether|asks?|asked|mentions?|before|after|during|use (?:this|it|for|to|with|in|as)|used (?:for|to|by|in)|useful|intended|applies to)\b/i

/** What users are quoted with is theirs. */
const withoutQuotes = (text: string): string =>
  text.replaceAll(/"[^"]*"|“[^”]*”|`[^`]*`|(?<![A-Za-z])'[^']*'(?![A-Za-z])/g, ' ')

/** Scripts without spaces between the words cannot be counted by words. */
const isSpaced = (text: string): boolean =>
  !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u.test(
    text,
  )
