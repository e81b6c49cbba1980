import { readTraceSettings } from './trace-settings.ts'
import { NO_TRACING, type Tracing } from './tracing.ts'

/**
 * Tracing as the environment asks for it. Nothing of OpenTelemetry is loaded when it asks for none.
 * @param onError Told of spans that could not be sent.
 * @throws TraceSettingsError
 */
export async function startTracing(
  env: Readonly<Record<string, string | undefined>>,
  version: string,
  onError: (error: unknown) => void,
): Promise<Tracing & { stop(): Promise<void> }> {
  const settings = readTraceSettings(env)
  if (settings === null) return { ...NO_TRACING, stop: async () => {} }
  const { startOtel } = await import('./otel.ts')
  return startOtel(settings, version, onError)
}
