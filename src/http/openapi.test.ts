import { readFile } from 'node:fs/promises'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ERRORS, type ErrorCode } from '../model/error-catalogue.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Operation {
  operationId: string
  summary: string
  security?: unknown[]
  'x-permission'?: string
  'x-error-codes': ErrorCode[]
  responses: Record<string, { description: string }>
}

const read = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

let server: TestServer
let document: {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { properties: Record<string, { enum?: string[] }> }> }
}
let operations: { method: string; path: string; operation: Operation }[]

beforeAll(async () => {
  server = await startTestServer()
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as typeof document
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
})
afterAll(() => server.close())

test('a validator of other people finds the document to be OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(document))
  expect(result.errors ?? []).toEqual([])
  expect(result.valid).toBe(true)
})

test('every documented route is served, and every method that is not documented is refused with what is', async () => {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
  for (const path of Object.keys(document.paths)) {
    const documented = operations.filter((one) => one.path === path).map(({ method }) => method)
    for (const method of methods) {
      const answer = await fetch(server.url + path.replaceAll(/\{\w+\}/g, 'some'), { method })
      const body = await answer.text()
      if (documented.includes(method)) expect(`${method} ${path} ${answer.status}`).not.toMatch(/ (404|405)$/)
      else {
        expect([`${method} ${path}`, answer.status]).toEqual([`${method} ${path}`, 405])
        expect(JSON.parse(body)).toMatchObject({ code: 'method_not_allowed' })
        const allowed = answer.headers.get('allow')!.split(', ')
        expect(allowed.filter((one) => one !== 'HEAD').sort()).toEqual(documented.sort())
      }
    }
  }
})

test('every error code is in the document, and every operation answers the statuses of its codes', () => {
  expect(document.components.schemas['Problem']!.properties['code']!.enum!.toSorted()).toEqual(
    Object.keys(ERRORS).sort(),
  )
  for (const { operation } of operations) {
    for (const code of operation['x-error-codes']) {
      expect(operation.responses[ERRORS[code].status]?.description).toContain(`\`${code}\``)
    }
  }
})

test('codes that only a request can cause are named by the operation that answers with them', () => {
  const named = new Set(operations.flatMap(({ operation }) => operation['x-error-codes']))
  // What no operation names: methods that are none, findings of the validator, and what other dialects say in their own words.
  const elsewhere: ErrorCode[] = ['host_refused', 'method_not_allowed', 'package_rejected', 'schema_rejected']
  expect(
    Object.keys(ERRORS)
      .filter((code) => !named.has(code as ErrorCode))
      .sort(),
  ).toEqual(elsewhere)
})

test('operations have distinct names, and all but the open ones ask for a key and name a permission', () => {
  const ids = operations.map(({ operation }) => operation.operationId)
  expect(new Set(ids).size).toBe(ids.length)
  const open = operations.filter(({ operation }) => operation.security?.length === 0).map(({ path }) => path)
  expect(open.sort()).toEqual(['/api/uploads/{upload}', '/healthz', '/openapi.json', '/readyz'])
  for (const { operation, path } of operations) {
    if (!open.includes(path)) expect(operation['x-permission']).toBeDefined()
  }
})

test('docs/errors.md and docs/api.md say the same', async () => {
  const errors = await read('errors.md')
  for (const [code, { status, title, fix }] of Object.entries(ERRORS)) {
    expect(errors).toContain(`| \`${code}\` | ${status} | ${title}. | ${fix} |`)
  }
  const documentedCodes = [...errors.matchAll(/^\| `(\w+)` \| \d/gm)].map(([, code]) => code)
  expect(new Set(documentedCodes)).toEqual(new Set(Object.keys(ERRORS)))
  const rows = operations.map(
    ({ method, path, operation }) =>
      `| ${method} | \`${path}\` | ${operation.summary} | ${operation['x-permission'] ?? 'public'} |`,
  )
  const documentedRoutes = (await read('api.md')).split('\n').filter((line) => /^\| [A-Z]+ \|/.test(line))
  expect(documentedRoutes.toSorted()).toEqual(rows.sort())
})
