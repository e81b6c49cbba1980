/** What the environment asks for. Source: OpenTelemetry, "Environment Variable Specification" and "OTLP Exporter Configuration". */
export interface TraceSettings {
  readonly exporter: 'otlp' | 'console'
  /** Of the exporter `otlp`. */
  readonly protocol: 'http/protobuf' | 'http/json'
  readonly sampler: (typeof SAMPLERS)[number]
  /** For the samplers by ratio. */
  readonly ratio: number
  readonly batch: {
    readonly scheduledDelayMillis?: number
    readonly exportTimeoutMillis?: number
    readonly maxQueueSize?: number
    readonly maxExportBatchSize?: number
  }
}

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

/** The environment asks for what this server cannot do. */
export class TraceSettingsError extends Error {
  override readonly name = 'TraceSettingsError'
}

/**
 * Null when nothing is to be traced: without an exporter or an address for it, or with OTEL_SDK_DISABLED=true.
 * @throws TraceSettingsError for values that are not served, naming those that are
 */
export function readTraceSettings(env: Readonly<Record<string, string | undefined>>): TraceSettings | null {
  const given = (name: string): string | undefined => (env[name]?.trim() ? env[name].trim() : undefined)
  if (given('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return null
  const address = given('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? given('OTEL_EXPORTER_OTLP_ENDPOINT')
  const exporter = given('OTEL_TRACES_EXPORTER') ?? (address === undefined ? 'none' : 'otlp')
  if (exporter === 'none') return null
  if (exporter !== 'otlp' && exporter !== 'console')
    throw refused('OTEL_TRACES_EXPORTER', exporter, ['otlp', 'console', 'none'])
  const name =
    given('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') === undefined
      ? 'OTEL_EXPORTER_OTLP_PROTOCOL'
      : 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'
  const protocol = given(name) ?? 'http/protobuf'
  if (protocol !== 'http/json' && protocol !== 'http/protobuf') {
    throw refused(name, protocol, ['http/protobuf', 'http/json'])
  }
  const sampler = given('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on'
  if (!isSampler(sampler)) throw refused('OTEL_TRACES_SAMPLER', sampler, SAMPLERS)
  return {
    exporter,
    protocol,
    sampler,
    ratio: ratioOf(given('OTEL_TRACES_SAMPLER_ARG')),
    batch: {
      ...amount('scheduledDelayMillis', 'OTEL_BSP_SCHEDULE_DELAY'),
      ...amount('exportTimeoutMillis', 'OTEL_BSP_EXPORT_TIMEOUT'),
      ...amount('maxQueueSize', 'OTEL_BSP_MAX_QUEUE_SIZE'),
      ...amount('maxExportBatchSize', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
    },
  }

  function amount<Key extends string>(key: Key, variable: string): { [K in Key]?: number } {
    const text = given(variable)
    if (text === undefined) return {}
    if (!/^[1-9][0-9]{0,8}$/.test(text)) throw refused(variable, text, ['a whole number from 1'])
    return { [key]: Number(text) } as { [K in Key]: number }
  }
}

function ratioOf(text: string | undefined): number {
  if (text === undefined) return 1
  const ratio = Number(text)
  if (ratio >= 0 && ratio <= 1) return ratio
  throw refused('OTEL_TRACES_SAMPLER_ARG', text, ['a number from 0 to 1'])
}

const isSampler = (text: string): text is TraceSettings['sampler'] => SAMPLERS.some((one) => one === text)

function refused(variable: string, value: string, served: readonly string[]): TraceSettingsError {
  return new TraceSettingsError(`${variable} is "${value}"; this server can do ${served.join(', ')}.`)
}
