/** How large a value is, up to where measuring stopped. */
export interface Measure {
  /** Objects, arrays, members and plain values. */
  readonly nodes: number
  /** Characters of strings and of property names. */
  readonly chars: number
  readonly depth: number
  /** Characters of the paths to all of them together: one long name is in that of each value below it. */
  readonly paths: number
  /** A bound was passed: the numbers are lower bounds. */
  readonly over: boolean
}

/**
 * Measures a JSON value without recursion, so that no nesting can exhaust the stack, and stops at the first bound passed.
 * A value that holds itself passes the bound of depth.
 */
export function measure(
  value: unknown,
  bounds: { nodes: number; chars: number; depth: number; paths?: number },
): Measure {
  const { paths: mostPaths = Infinity } = bounds
  const stack: unknown[] = [value]
  const depths: number[] = [0]
  const lengths: number[] = [0]
  let nodes = 0
  let chars = 0
  let depth = 0
  let paths = 0
  while (stack.length > 0) {
    const item = stack.pop()
    const level = depths.pop()!
    const length = lengths.pop()!
    nodes++
    paths += length
    if (level > depth) depth = level
    if (typeof item === 'string') chars += item.length
    else if (typeof item === 'object' && item !== null) {
      const members = Array.isArray(item) ? item : Object.keys(item)
      // Before pushing: a long array must not be copied only to be refused.
      if (nodes + members.length > bounds.nodes) {
        return { nodes: nodes + members.length, chars, depth, paths, over: true }
      }
      for (const member of members) {
        if (members === item) stack.push(member)
        else {
          chars += (member as string).length
          stack.push((item as Record<string, unknown>)[member as string])
        }
        depths.push(level + 1)
        lengths.push(length + 1 + (members === item ? 0 : (member as string).length))
      }
    }
    if (nodes > bounds.nodes || chars > bounds.chars || depth > bounds.depth || paths > mostPaths) {
      return { nodes, chars, depth, paths, over: true }
    }
  }
  return { nodes, chars, depth, paths, over: false }
}
