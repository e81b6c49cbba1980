import { isAbsolute, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Finding } from '../model/packages.ts'
import { describeRule } from '../packages/rules.ts'

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'

/**
 * Findings as SARIF 2.1.0, which code hosts and editors show in place.
 * @param at.place Path on this machine of a file of the package, or of the package for null
 * @param at.cwd Paths below it are told relative to it, as code hosts want them
 */
export function sarifLog(
  findings: readonly Finding[],
  at: { readonly version: string; readonly cwd: string; place(file: string | null): string },
): object {
  const ids = [...new Set(findings.map(({ rule }) => rule))].toSorted()
  const driver = {
    name: 'skillet',
    semanticVersion: at.version,
    rules: ids.map((id) => ruleOf(id)),
  }
  const results = findings.map((one) => ({
    ruleId: one.rule,
    ruleIndex: ids.indexOf(one.rule),
    level: one.severity === 'deny' ? 'error' : 'warning',
    message: { text: plain(`${one.message} ${one.fix}`) },
    locations: [{ physicalLocation: locationOf(one, uriOf(at.place(one.file), at.cwd)) }],
  }))
  return { $schema: SCHEMA, version: '2.1.0', runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }] }
}

/** Readers of SARIF make links of [text](address): not of what strangers wrote. */
const plain = (text: string): string => text.replaceAll('](', '] (')

function ruleOf(id: string): object {
  const rule = describeRule(id)
  return rule === null ? { id } : { id, shortDescription: { text: rule.why }, help: { text: rule.fix } }
}

function locationOf({ line, column }: Finding, uri: string): object {
  const region = line === null ? {} : { region: { startLine: line, ...(column !== null && { startColumn: column }) } }
  return { artifactLocation: { uri }, ...region }
}

function uriOf(path: string, cwd: string): string {
  const inside = relative(cwd, path)
  const isInside = inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)
  return isInside ? inside.split(sep).map(encodeURIComponent).join('/') || '.' : pathToFileURL(path).href
}
