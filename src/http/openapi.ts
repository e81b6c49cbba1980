import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../model/error-catalogue.ts'
import { errorCodes } from './error-codes.ts'
import { Problem } from './problem.ts'
import { PATH_PARAM, type ResponseSpec, type Route } from './route.ts'

type Json = Record<string, unknown>

/** The OpenAPI 3.1 document of the routes, made of the very schemas that check requests. */
export function describeApi(routes: readonly Route[], version: string): Json {
  const components: Json = {}
  const toSchema = schemaWriter(components)
  toSchema(Problem)
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const methods = (paths[route.path] ??= {})
    methods[route.method.toLowerCase()] = operation(route, toSchema)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Skillet',
      version,
      description:
        'Errors are problem details (RFC 9457) with a stable `code`; each operation lists its codes as `x-error-codes`. ' +
        'Lists take `limit` and an opaque `cursor`. `{skill}` and `{stage}` take an id or a name.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key (sk_…), or a token of an issuer that the server is configured for.',
        },
      },
      schemas: components,
    },
  }
}

type SchemaWriter = (schema: z.ZodType) => Json

/** Schemas with an id become components, all others stay in place. */
function schemaWriter(components: Json): SchemaWriter {
  return (schema) => {
    const { $schema: _dialect, $defs, ...rest } = z.toJSONSchema(schema, { io: 'input' }) as Json
    for (const [name, definition] of Object.entries(($defs as Json | undefined) ?? {})) {
      components[name] ??= withoutId(repoint(definition))
    }
    return withoutId(repoint(rest)) as Json
  }
}

function repoint(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(repoint)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string'
        ? [key, inner.replace('#/$defs/', '#/components/schemas/')]
        : [key, repoint(inner)],
    ),
  )
}

/** The id has become the name. */
function withoutId(value: unknown): unknown {
  const { id: _id, ...rest } = value as Json
  return rest
}

function operation(route: Route, toSchema: SchemaWriter): Json {
  const parameters = [...pathParameters(route), ...queryParameters(route, toSchema), ...headerParameters(route)]
  const codes = errorCodes(route)
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    ...(route.access === 'public' ? { security: [] } : { 'x-permission': route.access }),
    ...(parameters.length > 0 && { parameters }),
    ...requestBody(route, toSchema),
    responses: { ...successes(route, toSchema), ...failures(codes) },
    'x-error-codes': codes,
  }
}

function pathParameters({ path }: Route): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: PATH_PARAM.source },
  }))
}

function queryParameters({ query }: Route, toSchema: SchemaWriter): Json[] {
  if (query === undefined) return []
  const { properties, required } = toSchema(query) as { properties: Record<string, Json>; required?: string[] }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required?.includes(name) ?? false,
    ...(description !== undefined && { description }),
    schema,
  }))
}

function headerParameters({ headers = {} }: Route): Json[] {
  return Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }))
}

function requestBody(route: Route, toSchema: SchemaWriter): Json {
  if (route.rawBody !== undefined) return { requestBody: { required: true, content: { [route.rawBody]: {} } } }
  if (route.body === undefined) return {}
  const content = { 'application/json': { schema: toSchema(route.body) } }
  return { requestBody: { required: route.bodyOptional !== true, content } }
}

function successes({ responses }: Route, toSchema: SchemaWriter): Json {
  return Object.fromEntries(
    Object.entries(responses).map(([status, spec]) => [
      status,
      { description: spec.description, ...responseHeaders(spec.headers), ...responseContent(spec, toSchema) },
    ]),
  )
}

function responseHeaders(headers: ResponseSpec['headers']): Json {
  if (headers === undefined) return {}
  const described = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ])
  return { headers: Object.fromEntries(described) }
}

function responseContent({ schema, also = {} }: ResponseSpec, toSchema: SchemaWriter): Json {
  const content: Json = {}
  if (schema !== undefined) content['application/json'] = { schema: toSchema(schema) }
  for (const [type, of] of Object.entries(also)) {
    content[type] = { schema: type === 'text/event-stream' ? eventOf(toSchema(of)) : toSchema(of) }
  }
  return Object.keys(content).length > 0 ? { content } : {}
}

/** Of an event stream the schema is that of each event, whose data is text with JSON in it. */
function eventOf(data: Json): Json {
  const text = { type: 'string', contentMediaType: 'application/json', contentSchema: data }
  const string = { type: 'string' }
  return { type: 'object', required: ['id', 'event', 'data'], properties: { id: string, event: string, data: text } }
}

const FAILURE_HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': '`Bearer`.' },
  429: {
    'Retry-After': 'Seconds until something is left again.',
    'RateLimit-Policy': 'How many requests a second go on for ever.',
    RateLimit: 'What is left, and in how many seconds there is more.',
  },
  503: { 'Retry-After': 'Seconds.' },
}

function failures(codes: readonly ErrorCode[]): Json {
  const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: of.map((code) => `\`${code}\`: ${ERRORS[code].title}.`).join(' '),
        ...responseHeaders(FAILURE_HEADERS[status]),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  )
}
