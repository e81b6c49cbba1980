// The rules of the JavaScript scan: one walk over a module's tree. A lint that names risks; the sandbox is the boundary.

import { parseSync } from 'oxc-parser'
import {
  CALLS,
  DECODERS,
  EVALUATORS,
  INFLATERS,
  METADATA,
  METADATA_NUMBERS,
  MODULES,
  PROC,
  PROTOTYPE,
} from './tables.mjs'
import { aliases, dotted, lineOf, nodes, text, unwrap } from './tree.mjs'

/** @param report (line, rule, message) */
export function scan({ source, program }, report, depth = 0) {
  const known = aliases(program)
  const decoded = decodedNames(program, known)
  const seen = new Set()
  const found = (node, rule, message) => {
    const line = lineOf(source, node.start)
    if (seen.has(`${line} ${rule}`)) return
    seen.add(`${line} ${rule}`)
    report(line, rule, message)
  }
  const isDecoded = (root) => {
    for (const node of nodes(root)) {
      if (isDecoder(node, known) || (node.type === 'Identifier' && decoded.has(node.name))) return true
    }
    return false
  }

  const visits = {
    CallExpression: call,
    NewExpression: call,
    ImportDeclaration: (node) => module(node, node.source.value),
    ImportExpression: (node) => load(node, node.source, 'import()'),
    AssignmentExpression: (node) => write(node, node.left),
    UpdateExpression: (node) => write(node, node.argument),
    Literal: literal,
    TemplateElement: (node) => words(node, node.value.cooked ?? node.value.raw),
  }
  for (const node of nodes(program)) visits[node.type]?.(node)

  function call(node) {
    const name = dotted(node.callee, known)
    const [first] = node.arguments
    if (EVALUATORS.has(name)) evaluation(node, name)
    else if (isConstructorOfConstructor(unwrap(node.callee)))
      found(node, 'js.escape_idiom', 'A function is made through .constructor.constructor')
    else if (name === 'require' || name === 'module.require' || name === 'process.getBuiltinModule')
      load(node, first, `${name}()`)
    else if (name === 'worker_threads.Worker' || name === 'Worker') worker(node)
    else if ((name === 'setTimeout' || name === 'setInterval') && text(first) !== null)
      found(node, 'js.eval', `${name}() of a string`)
    else if (
      /^(?:Object\.(?:defineProperty|defineProperties|assign|setPrototypeOf)|Reflect\.(?:set|defineProperty|setPrototypeOf))$/.test(
        name ?? '',
      )
    ) {
      const target = dotted(first, known)
      if (target && PROTOTYPE.test(target)) found(node, 'js.prototype_write', `${name}() on ${target}`)
    } else if (name) {
      const rule = CALLS.find(([pattern]) => pattern.test(name))?.[1]
      if (rule) found(node, rule, `${name}() is called`)
    }
  }

  function evaluation(node, name) {
    const code = node.arguments.at(name === 'Function' ? -1 : 0)
    if (!code) return
    const spelled = text(code)
    const rule = name.startsWith('vm.') ? 'js.vm' : 'js.eval'
    if (spelled === null) {
      if (isDecoded(code)) found(node, 'js.exec_decoded', `${name}() of data that is decoded first`)
      else found(node, rule, `${name}() of a computed string`)
    } else if (depth < 3) {
      // Code in a string is code: the same rules, at the line of the call.
      const inner = parseSync('inner.js', name === 'Function' ? `(function(){${spelled}})` : spelled, {
        lang: 'js',
        preserveParens: false,
      })
      if (inner.errors.length === 0)
        scan(
          { source: spelled, program: inner.program },
          (_line, innerRule, message) => found(node, innerRule, message),
          depth + 1,
        )
      if (rule === 'js.vm') found(node, rule, `${name}() is called`)
    }
  }

  function load(node, what, how) {
    const name = text(what)
    if (name !== null) module(node, name)
    else if (what) found(node, isDecoded(what) ? 'js.exec_decoded' : 'js.dynamic_import', `${how} of a computed name`)
  }

  function module(node, name) {
    const rule = MODULES.get(name.replace(/^node:/, ''))
    if (rule && node.importKind !== 'type') found(node, rule, `The module ${name} is loaded`)
    if (name.startsWith('data:')) found(node, 'js.exec_decoded', 'Code is imported from a data: URL')
  }

  function worker(node) {
    const options = node.arguments[1]
    const keys =
      options?.type === 'ObjectExpression' ? options.properties.map((part) => part.key?.name ?? text(part.key)) : []
    if (keys.includes('eval')) found(node, 'js.eval', 'A worker is started from a string')
    if (keys.includes('execArgv') || keys.includes('env'))
      found(node, 'js.worker_flags', 'A worker is started with its own flags or environment')
  }

  function write(node, target) {
    const name = dotted(target, known)
    if (target.type !== 'MemberExpression') return
    if (name && PROTOTYPE.test(name)) found(node, 'js.prototype_write', `${name} is written`)
    else if (propertyOf(target) === '__proto__') found(node, 'js.prototype_write', '__proto__ is written')
    else if (
      /^(?:Module|module|module\.Module)\._/.test(name ?? '') ||
      /^require\.(?:cache|extensions)\b/.test(name ?? '')
    )
      found(node, 'js.module_internals', `${name} is written`)
    else if (dotted(target.object, known) === 'require.cache')
      found(node, 'js.module_internals', 'require.cache is written')
  }

  function literal(node) {
    if (typeof node.value === 'string') words(node, node.value)
    else if (METADATA_NUMBERS.has(node.value))
      found(node, 'code.metadata_address', 'The cloud metadata address is in the code as a number')
  }

  function words(node, value) {
    const address = METADATA.exec(value)
    if (address) found(node, 'code.metadata_address', `The cloud metadata address "${address[0]}" is in the code`)
    const path = PROC.exec(value)
    if (path) found(node, 'code.proc_access', `The path "${path[0]}" is in the code`)
  }
}

function decodedNames(program, known) {
  const names = new Set()
  for (const node of nodes(program)) {
    const [target, value] =
      node.type === 'VariableDeclarator'
        ? [node.id, node.init]
        : node.type === 'AssignmentExpression'
          ? [node.left, node.right]
          : []
    if (target?.type !== 'Identifier' || !value) continue
    for (const part of nodes(value)) if (isDecoder(part, known)) names.add(target.name)
  }
  return names
}

function isDecoder(node, known) {
  if (node.type !== 'CallExpression') return false
  const name = dotted(node.callee, known)
  if (name && (DECODERS.has(name) || INFLATERS.test(name))) return true
  const encoding = text(node.arguments[1])
  return name === 'Buffer.from' || name === 'buffer.Buffer.from'
    ? /^(?:base64(?:url)?|hex)$/.test(encoding ?? '')
    : false
}

function isConstructorOfConstructor(node) {
  return (
    node?.type === 'MemberExpression' &&
    propertyOf(node) === 'constructor' &&
    propertyOf(unwrap(node.object)) === 'constructor'
  )
}

function propertyOf(node) {
  if (node?.type !== 'MemberExpression') return null
  return node.computed ? text(node.property) : node.property.name
}
