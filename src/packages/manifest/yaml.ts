import { LineCounter, isAlias, isNode, parseDocument, visit, type Document } from 'yaml'
import { measure } from '../../schemas/measure.ts'
import type { Findings } from '../rules.ts'
import type { Place } from './place.ts'
import { createYamlPlaces, type YamlPlaces } from './yaml-places.ts'
import { isPlain } from './yaml-plain.ts'
import { slipOf } from './yaml-slips.ts'

/** A table of keys read from YAML, with the places where they stand. */
export interface YamlMap extends YamlPlaces {
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
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: line + firstLine - 1, column: col }
  }
  try {
    // A CR alone ends a line in YAML, but not in this parser. One for one, so that places stay.
    const document = parseDocument(text.replaceAll(/\r(?!\n)/g, '\n'), {
      version: '1.2',
      schema: 'core',
      merge: false,
      // Looked for by ourselves: the parser compares every key with every other.
      uniqueKeys: false,
      lineCounter: lines,
      prettyErrors: false,
    })
    // One slip makes a parser complain of all that follows.
    for (const error of document.errors.slice(0, MOST_ERRORS)) {
      const { line, column } = place(error.pos[0])
      const { message, fix } = slipOf(error)
      findings.add('manifest.yaml', message, file, line, column, fix)
    }
    if (document.errors.length > 0) return null
    const plain = isPlain(
      document,
      (rule, message, at, fix) => findings.add(rule, message, file, at.line, at.column, fix),
      place,
    )
    if (!plain) return null
    const values = valuesOf(document, file, place, findings)
    if (values === null) return null
    const places = createYamlPlaces(document, text, place)
    return { file, values, ...places, lineOf: (key) => places.keyAt(key)?.line ?? null }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    // Nesting exhausted the stack.
    findings.add('manifest.yaml', 'It is nested too deeply.', file, firstLine, 1, 'Write it with fewer levels.')
    return null
  }
}

function valuesOf(
  document: Document,
  file: string,
  place: (offset: number) => Place,
  findings: Findings,
): Record<string, unknown> | null {
  let values: unknown
  try {
    values = document.toJS({ maxAliasCount: MOST_ALIASES })
  } catch (error) {
    // Aliases that unfold without end, or lead nowhere.
    if (!(error instanceof ReferenceError)) throw error
    const { message, at } = aliasFault(document)
    const { line, column } = place(at)
    findings.add('manifest.yaml_aliases', message, file, line, column)
    return null
  }
  const { line, column } = place(0)
  if (measure(values, BOUNDS).over) {
    findings.add(
      'manifest.too_large',
      `${file} unfolds to more than ${BOUNDS.nodes} values or ${BOUNDS.depth} levels.`,
      file,
      line,
      column,
    )
    return null
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    findings.add('manifest.not_a_map', `${file} is not a table of keys.`, file, line, column)
    return null
  }
  return values as Record<string, unknown>
}

/** The alias that leads nowhere, or the first one. */
function aliasFault(document: Document): { message: string; at: number } {
  const anchors = new Set<string>()
  let first: number | null = null
  let lost: { message: string; at: number } | null = null
  visit(document, (_, node) => {
    if (!isNode(node)) return
    if (!isAlias(node)) {
      if (node.anchor !== undefined) anchors.add(node.anchor)
      return
    }
    const at = node.range?.[0] ?? 0
    first ??= at
    if (anchors.has(node.source)) return
    const name = node.source.slice(0, 80)
    lost ??= { message: `The alias "*${name}" has no anchor "&${name}" before it.`, at }
  })
  return (
    lost ?? {
      message: `There are more than ${MOST_ALIASES} aliases, counted with what they unfold to.`,
      at: first ?? 0,
    }
  )
}
