// Small pieces of JSON Schema: intersections, utility types, literals, arrays.

import { text } from './tree.mjs'

export function merge(schemas) {
  const objects = schemas.filter((one) => one.type === 'object')
  const required = [...new Set(objects.flatMap((one) => one.required ?? []))]
  const { additionalProperties } =
    objects.every((one) => one.additionalProperties === false) && objects.length === schemas.length
      ? { additionalProperties: false }
      : {}
  return {
    type: 'object',
    properties: Object.assign({}, ...objects.map((one) => one.properties ?? {})),
    ...(required.length > 0 ? { required } : {}),
    ...(additionalProperties === undefined ? {} : { additionalProperties }),
  }
}

export function narrow(name, schema, keys) {
  if (schema.type !== 'object' || !schema.properties) return schema
  const { required = [], ...rest } = schema
  if (name === 'Partial') return rest
  if (name === 'Required') return { ...schema, required: Object.keys(schema.properties) }
  if (name !== 'Pick' && name !== 'Omit') return schema
  const keep = (key) => keys.includes(key) === (name === 'Pick')
  const properties = Object.fromEntries(Object.entries(schema.properties).filter(([key]) => keep(key)))
  const left = required.filter(keep)
  return { ...rest, properties, ...(left.length > 0 ? { required: left } : {}) }
}

export function keysOf(type) {
  const parts = type?.type === 'TSUnionType' ? type.types : type ? [type] : []
  return parts.flatMap((one) => (one.type === 'TSLiteralType' ? [one.literal.value] : []))
}

export function literal(node) {
  if (node.type === 'UnaryExpression' && node.operator === '-') return { enum: [-node.argument.value] }
  const value = node.type === 'TemplateLiteral' ? text(node) : node.value
  return ['string', 'number', 'boolean'].includes(typeof value) ? { enum: [value] } : {}
}

export const array = (items) => (Object.keys(items).length > 0 ? { type: 'array', items } : { type: 'array' })
