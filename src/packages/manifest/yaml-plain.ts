import { isAlias, isMap, isNode, isScalar, visit, type Document } from 'yaml'
import type { Place } from './place.ts'

type Refuse = (rule: 'manifest.yaml_tag' | 'manifest.yaml', message: string, at: Place, fix?: string) => void

/** Refuses what is valid YAML but no JSON, or would be read in more than one way. @returns False when it refused something. */
export function isPlain(document: Document, refuse: Refuse, place: (offset: number) => Place): boolean {
  let plain = true
  const no: Refuse = (rule, message, at, fix) => {
    plain = false
    refuse(rule, message, at, fix)
  }
  visit(document, (_, node) => {
    if (!isNode(node)) return
    const at = node.range?.[0] ?? 0
    if (!isAlias(node) && node.tag !== undefined)
      no('manifest.yaml_tag', `The tag "${node.tag.slice(0, 80)}" is not accepted.`, place(at))
    if (isScalar(node) && typeof node.value === 'number' && !Number.isFinite(node.value)) {
      no('manifest.yaml', `${String(node.value)} is not a number that JSON can hold.`, place(at), 'Write a number.')
    }
    if (!isMap(node)) return
    const seen = new Set<string>()
    for (const { key } of node.items) {
      const keyAt = isNode(key) ? place(key.range?.[0] ?? 0) : place(at)
      if (!isScalar(key)) {
        no('manifest.yaml', 'A key must be a plain text, not a list, a table or an alias.', keyAt, 'Write a text.')
        continue
      }
      const name = String(key.value)
      if (seen.has(name))
        no('manifest.yaml', `The key "${name.slice(0, 80)}" is there twice.`, keyAt, 'Keep one of them.')
      seen.add(name)
    }
  })
  return plain
}
