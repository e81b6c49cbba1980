import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  visit,
  type Document,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import type { Place } from './place.ts'

/** Where the parts of a YAML text stand. */
export interface YamlPlaces {
  /** Of a key, by the keys that lead to it. */
  keyAt(...path: string[]): Place | null
  /** Of a value, by the keys that lead to it. */
  valueAt(...path: string[]): Place | null
  /** A value as it is written; null when there is none. */
  written(...path: string[]): Written | null
  /** What simpler readers of YAML do not know, in the order of the text. */
  readonly peculiarities: readonly { readonly kind: Peculiarity; readonly at: Place }[]
}

export type Peculiarity = 'anchor' | 'alias' | 'flow' | 'indentation indicator'

/** Offsets within the text, comments behind it not included. */
export interface Written {
  readonly start: number
  readonly end: number
  /** Where its key ends. */
  readonly keyEnd: number
  readonly style: Scalar.Type | 'flow' | 'block' | 'alias'
}

export function createYamlPlaces(document: Document, text: string, place: (offset: number) => Place): YamlPlaces {
  const known = new WeakMap<YAMLMap, Map<string, Pair>>()
  const pairsOf = (map: YAMLMap): Map<string, Pair> => {
    const pairs = known.get(map) ?? new Map(map.items.map((pair) => [String((pair.key as Scalar).value), pair]))
    known.set(map, pairs)
    return pairs
  }
  const find = (path: string[]): { key: Node; value: Node | null } | null => {
    let node: unknown = document.contents
    let found: { key: Node; value: Node | null } | null = null
    for (const name of path) {
      const pair = isMap(node) ? pairsOf(node).get(name) : undefined
      if (pair === undefined) return null
      node = pair.value
      found = { key: pair.key as Node, value: isNode(node) ? node : null }
    }
    return found
  }
  const at = (node: Node | null | undefined): Place | null => (node?.range ? place(node.range[0]) : null)
  return {
    keyAt: (...path) => at(find(path)?.key),
    valueAt: (...path) => {
      const pair = find(path)
      return at(pair?.value) ?? at(pair?.key)
    },
    written(...path) {
      const pair = find(path)
      if (!pair?.value?.range || !pair.key.range) return null
      const [start, end] = pair.value.range
      return { start, end, keyEnd: pair.key.range[1], style: styleOf(pair.value) }
    },
    peculiarities: peculiaritiesOf(document, text).map(({ kind, offset }) => ({ kind, at: place(offset) })),
  }
}

function styleOf(node: Node): Written['style'] {
  if (isAlias(node)) return 'alias'
  if (isScalar(node)) return node.type ?? 'PLAIN'
  return isCollection(node) && node.flow === true ? 'flow' : 'block'
}

const MOST_PECULIARITIES = 100

function peculiaritiesOf(document: Document, text: string): { kind: Peculiarity; offset: number }[] {
  const found: { kind: Peculiarity; offset: number }[] = []
  visit(document, (_, node) => {
    if (found.length >= MOST_PECULIARITIES) return visit.BREAK
    if (!isNode(node)) return undefined
    const offset = node.range?.[0] ?? 0
    if (isAlias(node)) found.push({ kind: 'alias', offset })
    else if (node.anchor !== undefined) found.push({ kind: 'anchor', offset })
    if (isCollection(node) && node.flow === true) found.push({ kind: 'flow', offset })
    if (isScalar(node) && /^[|>][+-]?[0-9]/.test(text.slice(offset, offset + 3)))
      found.push({ kind: 'indentation indicator', offset })
    return undefined
  })
  return found
}
