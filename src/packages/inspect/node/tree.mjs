// Walking an ESTree without recursion, names, strings and line numbers.

export function* nodes(root) {
  const waiting = [root]
  while (waiting.length > 0) {
    const node = waiting.pop()
    if (Array.isArray(node)) {
      for (let i = node.length - 1; i >= 0; i--) if (node[i]) waiting.push(node[i])
    } else if (node && typeof node === 'object') {
      if (typeof node.type === 'string') yield node
      const parts = Object.values(node)
      for (let i = parts.length - 1; i >= 0; i--) if (parts[i] && typeof parts[i] === 'object') waiting.push(parts[i])
    }
  }
}

/** 1-based. */
export function lineOf(source, offset) {
  let line = 1
  for (let at = source.indexOf('\n'); at !== -1 && at < offset; at = source.indexOf('\n', at + 1)) line++
  return line
}

/** The value of a string that is spelled out, also put together with `+` or in a template without holes. */
export function text(node) {
  if (!node) return null
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0].value.cooked ?? null
  if (node.type === 'BinaryExpression' && node.operator === '+') {
    const left = text(node.left)
    const right = left === null ? null : text(node.right)
    return right === null ? null : left + right
  }
  return null
}

/** `cp.exec` with `import * as cp from 'node:child_process'` -> "child_process.exec". Null for what has no plain name. */
export function dotted(node, known) {
  const parts = []
  for (let at = unwrap(node); at; at = unwrap(at.object)) {
    if (at.type === 'MemberExpression') {
      const key = at.computed ? text(at.property) : at.property.name
      if (key === null || key === undefined) return null
      parts.unshift(key)
      continue
    }
    const base = at.type === 'Identifier' ? (known.get(at.name) ?? at.name) : required(at, known)
    if (base === null) return null
    parts.unshift(base)
    return parts.join('.').replace(/^(?:globalThis|global|window|self)\./, '')
  }
  return null
}

/** What local names stand for: imports, `require`, and plain copies such as `const run = cp.exec`. */
export function aliases(program) {
  const known = new Map()
  for (const node of nodes(program)) {
    if (node.type === 'ImportDeclaration') {
      const module = bare(node.source.value)
      for (const one of node.specifiers) {
        const name = one.type === 'ImportSpecifier' ? (one.imported.name ?? one.imported.value) : null
        known.set(one.local.name, name && name !== 'default' ? `${module}.${name}` : module)
      }
    } else if (node.type === 'VariableDeclarator' && node.init) {
      const value = dotted(node.init, known)
      if (!value) continue
      if (node.id.type === 'Identifier' && node.init.type !== 'Identifier') known.set(node.id.name, value)
      if (node.id.type !== 'ObjectPattern') continue
      for (const part of node.id.properties) {
        const key = part.key?.name ?? text(part.key)
        if (part.type === 'Property' && part.value.type === 'Identifier' && key)
          known.set(part.value.name, `${value}.${key}`)
      }
    }
  }
  return known
}

export function unwrap(node) {
  while (
    node &&
    [
      'ChainExpression',
      'ParenthesizedExpression',
      'TSNonNullExpression',
      'TSAsExpression',
      'TSSatisfiesExpression',
      'AwaitExpression',
    ].includes(node.type)
  ) {
    node = node.expression ?? node.argument
  }
  return node
}

function required(node, known) {
  if (node.type === 'ImportExpression') return moduleName(node.source)
  if (node.type !== 'CallExpression') return null
  const name =
    node.callee.type === 'Identifier' ? (known.get(node.callee.name) ?? node.callee.name) : dotted(node.callee, known)
  return name === 'require' || name === 'process.getBuiltinModule' || name === 'module.require'
    ? moduleName(node.arguments[0])
    : null
}

function moduleName(node) {
  const name = text(node)
  return name === null ? null : bare(name)
}

const bare = (name) => name.replace(/^node:/, '')
