// Finds execute() and validate() among the exports of the entry module, and reads the interface from their types.

import { docOf } from './comments.mjs'
import { dotted, lineOf, nodes, text, unwrap } from './tree.mjs'
import { Types } from './types.mjs'

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const NEVER_CALLABLE = new Set([
  'Literal',
  'TemplateLiteral',
  'ObjectExpression',
  'ArrayExpression',
  'ClassDeclaration',
  'ClassExpression',
])

export function inspectEntry(module, report) {
  const { program, source } = module
  const exported = { ...commonExports(program), ...moduleExports(program) }
  const execute = exported.execute
  if (!execute) {
    const star = program.body.find((node) => node.type === 'ExportAllDeclaration' && !node.exported)
    if (star)
      report(
        lineOf(source, star.start),
        'js.execute.missing',
        'execute may be among the names of "export *", which are not known here',
      )
    else report(0, 'js.execute.missing', 'The module does not export execute')
    return null
  }
  for (const name of ['execute', 'validate']) {
    const wrong = exported[name] && misfit(name, exported[name].value)
    if (wrong) {
      report(lineOf(source, exported[name].value.start), 'js.execute.signature', wrong)
      if (name === 'execute') return null
    }
  }
  const types = new Types(module)
  const { input, output } = typesOf(execute)
  return {
    handler: { validates: exported.validate !== undefined },
    description: docOf(module, execute.statement)?.description ?? null,
    input_schema: input ? types.inputSchema(input, docOf(module, execute.statement)?.params) : null,
    output_schema: output ? types.outputSchema(output) : null,
  }
}

/** {name: {value, declarator, statement}}; value is undefined where the name comes from another module. */
function moduleExports(program) {
  const found = {}
  const locals = declared(program)
  for (const node of program.body) {
    if (node.type !== 'ExportNamedDeclaration' || node.exportKind === 'type') continue
    for (const [name, one] of Object.entries(node.declaration ? declaredBy(node.declaration, node) : {}))
      found[name] = one
    for (const one of node.specifiers) {
      const name = one.exported.name ?? one.exported.value
      found[name] = (!node.source && locals[one.local.name]) || { statement: node }
    }
  }
  return found
}

/** What compilers to CommonJS write: `exports.execute = execute`, `module.exports = { execute }`. */
function commonExports(program) {
  const found = {}
  const locals = declared(program)
  const known = new Map()
  for (const node of nodes(program)) {
    if (node.type === 'AssignmentExpression') {
      const name = /^(?:module\.)?exports\.(\w+)$/.exec(dotted(node.left, known) ?? '')?.[1]
      const value = unwrap(node.right)
      if (name && !(value.type === 'UnaryExpression')) found[name] = locals[value.name] ?? { value, statement: node }
      if (dotted(node.left, known) === 'module.exports' && value.type === 'ObjectExpression') {
        for (const part of value.properties) {
          const key = part.key?.name ?? text(part.key)
          if (key) found[key] = locals[part.value.name] ?? { value: part.value, statement: part }
        }
      }
    }
  }
  return found
}

function declared(program) {
  return Object.assign({}, ...program.body.map((node) => declaredBy(node.declaration ?? node, node)))
}

function declaredBy(node, statement) {
  if (node.type === 'VariableDeclaration') {
    const plain = node.declarations.filter((one) => one.id.type === 'Identifier')
    return Object.fromEntries(
      plain.map((one) => [one.id.name, { value: unwrap(one.init) ?? undefined, declarator: one, statement }]),
    )
  }
  const named = (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') && node.id
  return named ? { [node.id.name]: { value: node, statement } } : {}
}

function misfit(name, value) {
  if (!value) return null
  if (NEVER_CALLABLE.has(value.type)) return `${name} is not a function`
  if (!FUNCTIONS.has(value.type)) return null
  if (value.generator) return `${name} is a generator`
  const required = value.params.filter(
    (one) => one.type !== 'AssignmentPattern' && one.type !== 'RestElement' && !one.optional,
  )
  return required.length > 2
    ? `${name} requires ${required.length} arguments; it is called with params and context`
    : null
}

function typesOf({ value, declarator }) {
  const first = value?.params?.[0]
  const named = declarator?.id.typeAnnotation?.typeAnnotation?.typeArguments?.params ?? []
  const parameter = first?.type === 'AssignmentPattern' ? first.left : first
  return {
    input: parameter?.typeAnnotation?.typeAnnotation ?? named[0],
    output: value?.returnType?.typeAnnotation ?? named[1],
  }
}
