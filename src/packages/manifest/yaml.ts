import { LineCounter, parseDocument, type Document } from 'yaml'
import { measure } from '../../schemas/measure.ts'
import type { Findings } from '../rules.ts'
import type { Place } from './place.ts'
import { createYamlPlaces, type YamlPlaces } from './yaml-places.ts'
import { isPlain } from './yaml-plain.ts'

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
      findings.add('manifest.yaml', oneLine(error.message), file, line, column)
    }
    if (document.errors.length > 0) return null
    if (!isPlain(document, (rule, message, at) => findings.add(rule, message, file, at.line, at.column), place))
      return null
    const values = valuesOf(document, file, firstLine, findings)
    if (values === null) return null
    const places = createYamlPlaces(document, text, place)
    return { file, values, ...places, lineOf: (key) => places.keyAt(key)?.line ?? null }
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

function valuesOf(
  document: Document,
  file: string,
  firstLine: number,
  findings: Findings,
): Record<string, unknown> | null {
  const values: unknown = document.toJS({ maxAliasCount: MOST_ALIASES })
  if (measure(values, BOUNDS).over) {
    findings.add(
      'manifest.too_large',
      `${file} unfolds to more than ${BOUNDS.nodes} values or ${BOUNDS.depth} levels.`,
      file,
    )
    return null
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    findings.add('manifest.not_a_map', `${file} is not a table of keys.`, file, firstLine, 1)
    return null
  }
  return values as Record<string, unknown>
}

const oneLine = (message: string): string => message.split('\n')[0]!.slice(0, 300)
