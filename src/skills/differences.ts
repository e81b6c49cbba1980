import { isDeepStrictEqual } from 'node:util'
import type { Package } from '../model/packages.ts'
import type { Difference } from './shapes.ts'

/** Members that are not the same, by key in order; a side without the key is left out. */
export function differences(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Difference[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()
  return keys.flatMap((key) => {
    const [had, has] = [Object.hasOwn(before, key), Object.hasOwn(after, key)]
    if (had && has && isDeepStrictEqual(before[key], after[key])) return []
    return [{ key, ...(had && { from: before[key] }), ...(has && { to: after[key] }) }]
  })
}

/** All that a package asks to be allowed, whether Skillet enforces it or another client does. */
export function permissionsOf({ defaults, runtime, handler, skill_md }: Package): Record<string, unknown> {
  const tools = skill_md?.frontmatter['allowed-tools']
  return {
    ...defaults,
    runtime,
    ...(handler.kind === 'skill-md' && { scripts: handler.scripts }),
    ...(tools !== undefined && { 'allowed-tools': tools }),
  }
}
