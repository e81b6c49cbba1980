import { isAlias, isMap, isNode, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml'
import { measure } from '../../schemas/measure.ts'
import type { Findings } from '../rules.ts'

/** A table of keys read from YAML, with the lines its keys stand in. */
export interface YamlMap {
  readonly file: string
  readonly values: Record<string, unknown>
  /** 1-based line of a top-level key in its file; null when it is not there. */
  lineOf(key: string): number | null
}

/** Counted with what they unfold to. */
const MOST_ALIASES = 20
const MOST_ERRORS = 3
const BOUNDS = { nodes: 50_000, chars: 2 ** 20, depth: 100 }

/**
 * Reads YAML 1.2 (core schema) as plain JSON data: no tags, few aliases, no key twice, no second document.
 * @param firstLine The line of the file in which the text begins.
 * @returns Null when the findings say why.
 */
export function parseYaml(text: string, file: string, firstLine: number, findings: Findings): YamlMap | null {
  const lines = new LineCounter()
  const line = (offset: number): number => lines.linePos(offset).line + firstLine - 1
  try {
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: true,
      lineCounter: lines,
      prettyErrors: false,
    })
    // One slip makes a parser complain of all that follows.
    for (const error of document.errors.slice(0, MOST_ERRORS))
      findings.add('manifest.yaml', oneLine(error.message), file, line(error.pos[0]))
    if (document.errors.length > 0) return null
    if (!isPlain(document, file, line, findings)) return null
    const values: unknown = document.toJS({ maxAliasCount: MOST_ALIASES })
    const whole = measure(values, BOUNDS)
    if (whole.over) {
      findings.add(
        'manifest.too_large',
        `${file} unfolds to more than ${BOUNDS.nodes} values or ${BOUNDS.depth} levels.`,
        file,
      )
      return null
    }
    if (typeof values !== 'object' || values === null || Array.isArray(values)) {
      findings.add('manifest.not_a_map', `${file} is not a table of keys.`, file, firstLine)
      return null
    }
    const keys = keyLines(document, line)
    return { file, values: values as Record<string, unknown>, lineOf: (key) => keys.get(key) ?? null }
  } catch (error) {
    // A RangeError for nesting that exhausts the stack, a ReferenceError for aliases that unfold without end.
    if (!(error instanceof RangeError) && !(error instanceof ReferenceError)) throw error
    findings.add(
      error instanceof RangeError ? 'manifest.yaml' : 'manifest.yaml_aliases',
      `${file}: ${oneLine(error.message)}`,
      file,
    )
    return null
  }
}

/** Refuses what is valid YAML but no JSON, or would unfold. */
function isPlain(document: Document, file: string, line: (offset: number) => number, findings: Findings): boolean {
  let plain = true
  visit(document, (_, node) => {
    if (!isNode(node)) return
    const at = line(node.range?.[0] ?? 0)
    const refuse = (rule: 'manifest.yaml_tag' | 'manifest.yaml', message: string): void => {
      findings.add(rule, message, file, at)
      plain = false
    }
    if (!isAlias(node) && node.tag !== undefined)
      refuse('manifest.yaml_tag', `The tag "${node.tag.slice(0, 80)}" is not accepted.`)
    if (isScalar(node) && typeof node.value === 'number' && !Number.isFinite(node.value)) {
      refuse('manifest.yaml', `${String(node.value)} is not a number that JSON can hold.`)
    }
  })
  return plain
}

function keyLines(document: Document, line: (offset: number) => number): Map<string, number> {
  const keys = new Map<string, number>()
  if (!isMap(document.contents)) return keys
  for (const { key } of document.contents.items) {
    if (isScalar(key)) keys.set(String(key.value), line(key.range?.[0] ?? 0))
  }
  return keys
}

const oneLine = (message: string): string => message.split('\n')[0]!.slice(0, 300)
