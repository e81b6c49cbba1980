// JSON Schema from TypeScript types, for what can be read in the same file: interfaces, aliases, literals, unions, arrays.
// The same shapes as the Python inspector makes: input closed where its keys are known, output open.

import { docOf } from './comments.mjs'
import { array, keysOf, literal, merge, narrow } from './shapes.mjs'
import { text } from './tree.mjs'
import { union } from './union.mjs'

const KEYWORDS = {
  TSStringKeyword: { type: 'string' },
  TSNumberKeyword: { type: 'number' },
  TSBigIntKeyword: { type: 'integer' },
  TSBooleanKeyword: { type: 'boolean' },
  TSNullKeyword: { type: 'null' },
  TSUndefinedKeyword: { type: 'null' },
  TSVoidKeyword: { type: 'null' },
  TSObjectKeyword: { type: 'object' },
}
const TRANSPARENT = new Set([
  'Promise',
  'Awaited',
  'Readonly',
  'SkillExecuteResult',
  'NonNullable',
  'Required',
  'Partial',
  'Pick',
  'Omit',
])

export class Types {
  constructor(module) {
    this.module = module
    this.declared = new Map()
    for (const statement of module.program.body) {
      const node = statement.declaration ?? statement
      if (/^TS(?:Interface|TypeAlias|Enum)Declaration$/.test(node.type))
        this.declared.set(node.id.name, { node, statement })
    }
  }

  inputSchema(type, described = {}) {
    const schema = this.root(type, true)
    if (schema.type !== 'object') return { type: 'object' }
    for (const [name, what] of Object.entries(described)) {
      const property = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties[name] : null
      if (property && what && !property.description) schema.properties[name] = { ...property, description: what }
    }
    return schema
  }

  outputSchema(type) {
    const schema = this.root(type, false)
    return Object.keys(schema).length === 0 || schema.type === 'null' ? null : schema
  }

  root(type, closed) {
    this.closed = closed
    this.open = []
    this.recursive = new Set()
    this.defs = {}
    let schema = this.schema(type)
    if (schema.$ref && Object.keys(schema).length === 1) schema = this.defs[schema.$ref.slice('#/$defs/'.length)]
    return Object.keys(this.defs).length > 0 ? { ...schema, $defs: this.defs } : schema
  }

  schema(type) {
    if (KEYWORDS[type.type]) return { ...KEYWORDS[type.type] }
    switch (type.type) {
      case 'TSParenthesizedType':
      case 'TSTypeOperator':
      case 'TSOptionalType':
      case 'TSNamedTupleMember':
        return this.schema(type.typeAnnotation ?? type.elementType)
      case 'TSLiteralType':
        return literal(type.literal)
      case 'TSUnionType':
        return union(type.types.map((one) => this.schema(one)))
      case 'TSIntersectionType':
        return merge(type.types.map((one) => this.schema(one)))
      case 'TSArrayType':
        return array(this.schema(type.elementType))
      case 'TSTupleType': {
        const items = type.elementTypes.map((one) => this.schema(one))
        return { type: 'array', prefixItems: items, minItems: items.length, maxItems: items.length }
      }
      case 'TSTypeLiteral':
        return this.object(type.members)
      case 'TSTypeReference':
        return this.reference(type)
      default:
        return {}
    }
  }

  reference(type) {
    const name = type.typeName.name
    const parts = type.typeArguments?.params ?? []
    if (this.declared.has(name)) return this.named(name)
    if (TRANSPARENT.has(name) && parts[0]) return narrow(name, this.schema(parts[0]), keysOf(parts[1]))
    if ((name === 'Array' || name === 'ReadonlyArray') && parts[0]) return array(this.schema(parts[0]))
    if ((name === 'Set' || name === 'ReadonlySet') && parts[0])
      return { ...array(this.schema(parts[0])), uniqueItems: true }
    if (name === 'Record') {
      const values = parts[1] ? this.schema(parts[1]) : {}
      return Object.keys(values).length > 0 ? { type: 'object', additionalProperties: values } : { type: 'object' }
    }
    return name === 'Date' ? { type: 'string', format: 'date-time' } : {}
  }

  named(name) {
    if (this.open.includes(name)) {
      this.recursive.add(name)
      return { $ref: `#/$defs/${name}` }
    }
    const { node, statement } = this.declared.get(name)
    if (node.typeParameters) return {}
    this.open.push(name)
    const schema = this.declaration(node)
    this.open.pop()
    const description = docOf(this.module, statement)?.description
    if (description && Object.keys(schema).length > 0) schema.description = description
    if (!this.recursive.has(name)) return schema
    this.defs[name] = schema
    return { $ref: `#/$defs/${name}` }
  }

  declaration(node) {
    if (node.type === 'TSTypeAliasDeclaration') return this.schema(node.typeAnnotation)
    if (node.type === 'TSEnumDeclaration') {
      return {
        enum: (node.body?.members ?? node.members).map((one, place) =>
          one.initializer ? one.initializer.value : place,
        ),
      }
    }
    const bases = (node.extends ?? []).map((one) =>
      this.declared.has(one.expression.name) ? this.named(one.expression.name) : {},
    )
    return bases.length > 0 ? merge([...bases, this.object(node.body.body)]) : this.object(node.body.body)
  }

  object(members) {
    const properties = {}
    const required = []
    let rest = null
    for (const one of members) {
      if (one.type === 'TSIndexSignature') rest = this.schema(one.typeAnnotation.typeAnnotation)
      const key = one.type === 'TSPropertySignature' ? (one.key.name ?? text(one.key)) : null
      if (key === null || !one.typeAnnotation) continue
      const description = docOf(this.module, one)?.description
      const type = one.typeAnnotation.typeAnnotation
      const options =
        type.type === 'TSUnionType' ? type.types.filter((part) => part.type !== 'TSUndefinedKeyword') : [type]
      const schema = union(options.map((part) => this.schema(part)))
      Object.defineProperty(properties, key, {
        value: description ? { ...schema, description } : schema,
        enumerable: true,
        writable: true,
        configurable: true,
      })
      if (!one.optional && (type.type !== 'TSUnionType' || options.length === type.types.length)) required.push(key)
    }
    const closing = rest
      ? Object.keys(rest).length > 0
        ? { additionalProperties: rest }
        : {}
      : this.closed
        ? { additionalProperties: false }
        : {}
    return { type: 'object', properties, ...(required.length > 0 ? { required } : {}), ...closing }
  }
}
