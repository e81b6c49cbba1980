import { setTimeout as pause } from 'node:timers/promises'
import { type Context, type Span as OtelSpan, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { parseTraceParent, setGlobalErrorHandler } from '@opentelemetry/core'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Span, SpanOptions, Tracing } from './tracing.ts'
import type { TraceSettings } from './trace-settings.ts'

/** Sends spans with the OpenTelemetry SDK. Loaded only when something is to be traced. */
export async function startOtel(
  settings: TraceSettings,
  version: string,
  onError: (error: unknown) => void,
): Promise<Tracing & { stop(): Promise<void> }> {
  setGlobalErrorHandler(onError)
  const provider = new TracerProvider({
    // What the environment says counts more: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES.
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'skillet', 'service.version': version }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: samplerOf(settings),
    spanProcessors: [new BatchSpanProcessor({ exporter: await exporterOf(settings), ...settings.batch })],
  })
  const tracer = provider.getTracer('skillet', version)

  const begin = (
    name: string,
    { kind = 'internal', parent, attributes = {} }: SpanOptions,
    startTime?: number,
  ): OtelSpan =>
    tracer.startSpan(
      name,
      { kind: KINDS[kind], attributes, ...(startTime === undefined ? {} : { startTime }) },
      contextOf(parent),
    )

  return {
    async span(name, options, work) {
      const span = begin(name, options)
      try {
        return await work(wrap(span))
      } catch (error) {
        fail(span, error instanceof Error ? error.name : 'error')
        throw error
      } finally {
        span.end()
      }
    },
    past: (name, options, from, to) => begin(name, options, from).end(to),
    // What was not sent yet gets its chance; a collector that is gone holds up no server that stops.
    stop: () => Promise.race([provider.shutdown().catch(onError), pause(LAST_CHANCE_MS, undefined, { ref: false })]),
  }
}

const LAST_CHANCE_MS = 3000

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
} as const

function contextOf(parent: string | null | undefined): Context {
  const known = parent == null ? null : parseTraceParent(parent)
  return known === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...known, isRemote: true })
}

function wrap(span: OtelSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    set: (attributes) => void span.setAttributes(attributes),
    fail: (what) => fail(span, what),
  }
}

function fail(span: OtelSpan, what: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.setAttribute('error.type', what)
}

async function exporterOf({ exporter, protocol }: TraceSettings): Promise<SpanExporter> {
  if (exporter === 'console') return new ConsoleSpanExporter()
  // Address, headers, certificates and timeouts: the exporter reads OTEL_EXPORTER_OTLP_* itself.
  const { OTLPTraceExporter } = await (protocol === 'http/json'
    ? import('@opentelemetry/exporter-trace-otlp-http')
    : import('@opentelemetry/exporter-trace-otlp-proto'))
  return new OTLPTraceExporter()
}

function samplerOf({ sampler, ratio }: TraceSettings): Sampler {
  const root = sampler.endsWith('always_off')
    ? new AlwaysOffSampler()
    : sampler.endsWith('traceidratio')
      ? new TraceIdRatioBasedSampler(ratio)
      : new AlwaysOnSampler()
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}
