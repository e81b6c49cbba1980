import { Hono } from 'hono'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'
import { routerPath } from './path-params.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

test('parameters have the place for a name', () => {
  expect(routerPath('/api/skills/{skill}/stages/{stage}')).toBe('/api/skills/:p3/stages/:p5')
  expect(routerPath('/t/{token}/.well-known/skills/{skill}/{path+}')).toBe('/t/:p2/.well-known/skills/:p5/:p6{.+}')
  expect(routerPath('/openapi.json')).toBe('/openapi.json')
})

test('all routes together are ones that the fast router takes', async () => {
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: Record<string, object> }
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  )
  const app = new Hono()
  for (const { method, path } of [...documented, ...server.dialects])
    app.on(method, routerPath(path), (c) => c.text(''))
  await app.request('/api/skills')
  expect(app.router.name).toContain('RegExpRouter')
})
