import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestServer, python } from './harness.ts'

interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { code?: number }
  readonly attributes: { key: string; value: { stringValue?: string; intValue?: number; boolValue?: boolean } }[]
}

const ENVIRONMENT = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_BSP_SCHEDULE_DELAY',
  'OTEL_SERVICE_NAME',
]

/** A collector that understands OTLP over HTTP in JSON. */
const spans: OtlpSpan[] = []
const services = new Set<string | undefined>()
const paths = new Set<string | undefined>()
const collector = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    paths.add(request.url)
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as {
      resourceSpans: {
        resource: { attributes: { key: string; value: { stringValue?: string } }[] }
        scopeSpans: { spans: OtlpSpan[] }[]
      }[]
    }
    for (const { resource, scopeSpans } of resourceSpans) {
      services.add(resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue)
      spans.push(...scopeSpans.flatMap((scope) => scope.spans))
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
})

beforeEach(async () => {
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const { port } = collector.address() as AddressInfo
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_SERVICE_NAME: 'skillet-under-test',
  })
})
afterEach(() => {
  for (const name of ENVIRONMENT) delete process.env[name]
  collector.close()
  collector.closeAllConnections()
})

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = 'b7ad6b7169203331'

test('one trace leads from the caller through HTTP and the queue into the sandbox, and out of it again', async () => {
  const server = await TestServer.start()
  let seen: unknown
  try {
    const code = 'def handler(input: dict, context) -> dict:\n    return {"traceparent": context.run["traceparent"]}\n'
    await server.deploy('traced', python('traced', code))
    const run = await server.ok<{ output: { traceparent: string }; id: string }>(
      'POST',
      '/api/skills/traced/stages/dev/invoke',
      { input: {} },
      { prefer: 'wait=60', traceparent: `00-${TRACE}-${CALLER}-01` },
    )
    seen = run.output.traceparent
  } finally {
    await server.stop()
  }
  // What was not sent yet is sent when the server stops.
  const own = spans.filter(({ traceId }) => traceId === TRACE)
  const named = (name: string): OtlpSpan => {
    const found = own.filter((span) => span.name === name)
    expect(found, name).toHaveLength(1)
    return found[0]!
  }
  const request = named('POST /api/skills/{skill}/stages/{stage}/invoke')
  const [queue, run, acquire, invoke] = ['queue', 'run', 'sandbox.acquire', 'sandbox.invoke'].map(named) as [
    OtlpSpan,
    OtlpSpan,
    OtlpSpan,
    OtlpSpan,
  ]
  expect(request.parentSpanId).toBe(CALLER)
  expect(queue.parentSpanId).toBe(request.spanId)
  expect(run.parentSpanId).toBe(request.spanId)
  expect(acquire.parentSpanId).toBe(run.spanId)
  expect(invoke.parentSpanId).toBe(run.spanId)
  expect(seen).toBe(`00-${TRACE}-${invoke.spanId}-01`)
  for (const { startTimeUnixNano, endTimeUnixNano } of own)
    expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano))
  expect(run.attributes).toContainEqual({ key: 'skillet.status', value: { stringValue: 'succeeded' } })
  expect([...paths]).toEqual(['/v1/traces'])
  expect([...services]).toEqual(['skillet-under-test'])
})

test('a server is not begun with an environment that it would have to ignore', async () => {
  process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] = 'grpc'
  await expect(TestServer.start()).rejects.toThrow(
    'OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"; this server can do http/protobuf, http/json.',
  )
})
