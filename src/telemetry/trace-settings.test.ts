import { describe, expect, test } from 'vitest'
import { readTraceSettings } from './trace-settings.ts'

const OTLP = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }

describe('what the environment asks for', () => {
  test.each([
    ['nothing', {}],
    ['an empty address', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
    ['an address, but no exporter', { ...OTLP, OTEL_TRACES_EXPORTER: 'none' }],
    ['an address, but no SDK', { ...OTLP, OTEL_SDK_DISABLED: 'True' }],
  ])('%s: no tracing', (_what, env) => expect(readTraceSettings(env)).toBeNull())

  test('an address is enough', () => {
    expect(readTraceSettings(OTLP)).toEqual({
      exporter: 'otlp',
      protocol: 'http/protobuf',
      sampler: 'parentbased_always_on',
      ratio: 1,
      batch: {},
    })
  })

  test('the word for traces counts more than the general one', () => {
    const env = { ...OTLP, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' }
    expect(readTraceSettings(env)?.protocol).toBe('http/json')
  })

  test('samplers and batches', () => {
    const env = {
      OTEL_TRACES_EXPORTER: 'console',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
    }
    expect(readTraceSettings(env)).toMatchObject({
      exporter: 'console',
      sampler: 'traceidratio',
      ratio: 0.25,
      batch: { scheduledDelayMillis: 100, maxQueueSize: 10 },
    })
  })

  test.each([
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, 'OTEL_TRACES_EXPORTER is "zipkin"'],
    [{ ...OTLP, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'http/protobuf, http/json'],
    [{ ...OTLP, OTEL_TRACES_SAMPLER: 'jaeger_remote' }, 'OTEL_TRACES_SAMPLER is "jaeger_remote"'],
    [{ ...OTLP, OTEL_TRACES_SAMPLER_ARG: '2' }, 'a number from 0 to 1'],
    [{ ...OTLP, OTEL_BSP_SCHEDULE_DELAY: '-1' }, 'a whole number'],
  ])('%j is refused with what is served', (env, message) => expect(() => readTraceSettings(env)).toThrow(message))
})
