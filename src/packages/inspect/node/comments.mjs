// JSDoc: what stands right before a declaration or a property.

const BETWEEN = /^\s*(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:async\s+)?$/

/** {description, params: {name: text}} or null. Accepts `@param params.city - …` as the description of the input's key. */
export function docOf({ comments, source }, node) {
  if (!node) return null
  const comment = comments.findLast((one) => one.end <= node.start)
  if (
    !comment ||
    comment.type !== 'Block' ||
    !comment.value.startsWith('*') ||
    !BETWEEN.test(source.slice(comment.end, node.start))
  )
    return null
  const lines = comment.value.split('\n').map((line) => line.replace(/^[ \t]*\*+[ \t]?/, '').trim())
  const description = []
  const params = {}
  let last = null
  for (const line of lines) {
    const tag = /^@(\w+)[ \t]*(.*)$/.exec(line)
    if (tag) {
      last = null
      if (tag[1] === 'description') description.push(tag[2])
      const param =
        tag[1] === 'param' && /^(?:\{[^}]*\}[ \t]*)?\[?(?:\w+\.)?(\w+)[^\s\]]*\]?[ \t]*-?[ \t]*(.*)$/.exec(tag[2])
      if (param) params[(last = param[1])] = param[2]
    } else if (last) params[last] = `${params[last]} ${line}`.trim()
    else if (Object.keys(params).length === 0) description.push(line)
  }
  const first = description
    .join('\n')
    .trim()
    .split(/\n\s*\n/)[0]
  return { description: first ? first.replace(/\s+/g, ' ').slice(0, 1024) : null, params }
}
