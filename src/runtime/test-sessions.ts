import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { newSessionId } from '../model/ids.ts'
import type { Handler } from '../model/packages.ts'
import type { LogLine } from '../model/runs.ts'
import { type BwrapOptions, createBwrapDriver } from './bwrap/bwrap-driver.ts'
import { createRunscDriver } from './runsc/runsc-driver.ts'
import { type Places, openPlaces } from './bwrap/places.ts'
import type { Call, CallResult, Driver, Session, SessionSpec } from './driver.ts'

/** A real driver, and bundles written to disk as the build would have made them; for tests. */
export interface TestSessions {
  readonly places: Places
  readonly driver: Driver
  bundle(files: Record<string, string>): Promise<string>
  python(code: string, spec?: Partial<SessionSpec> & { takes_context?: boolean }): Promise<Session>
  node(code: string, spec?: Partial<SessionSpec> & { validates?: boolean }): Promise<Session>
  scripts(files: Record<string, string>): Promise<Session>
  close(): Promise<void>
}

/** @param options.driver Default bwrap. */
export async function openTestSessions(
  options: Omit<BwrapOptions, 'places'> & { readonly driver?: 'bwrap' | 'runsc' } = {},
): Promise<TestSessions> {
  const dir = await mkdtemp(join(tmpdir(), 'skillet-sessions-'))
  const places = await openPlaces(dir)
  const { driver: name = 'bwrap', ...given } = options
  const driver = await (name === 'runsc'
    ? createRunscDriver({ places, ...given })
    : createBwrapDriver({ places, ...given }))
  let count = 0

  async function bundle(files: Record<string, string>): Promise<string> {
    const root = join(places.bundles, `bundle-${++count}`)
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), content, { mode: 0o755 })
    }
    return root
  }

  async function prepare(
    handler: Handler,
    files: Record<string, string>,
    spec: Partial<SessionSpec>,
  ): Promise<Session> {
    const runtime = handler.kind === 'node' ? 'node24' : 'python3'
    const made = {
      id: newSessionId(),
      runtime,
      handler,
      bundle: await bundle(files),
      memory_mb: 256,
      network: [],
    } as const
    return await driver.prepare({ ...made, ...spec })
  }

  return {
    places,
    driver,
    bundle,
    python: (code, { takes_context = false, ...spec } = {}) =>
      prepare({ kind: 'python', file: 'main.py', function: 'handler', takes_context }, { 'main.py': code }, spec),
    node: (code, { validates = false, ...spec } = {}) =>
      prepare({ kind: 'node', file: 'index.mjs', validates }, { 'index.mjs': code }, spec),
    scripts: (files) => prepare({ kind: 'skill-md', scripts: Object.keys(files) }, files, {}),
    async close() {
      await driver.close()
      await places.close()
      await rm(places.root, { recursive: true, force: true })
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** One run and what it logged. */
export async function invoke(
  session: Session,
  input: unknown,
  change: Partial<Call> & { signal?: AbortSignal; onLine?: (line: LogLine) => void } = {},
): Promise<{ result: CallResult; output: unknown; logs: LogLine[] }> {
  const { signal, onLine, ...rest } = change
  const logs: LogLine[] = []
  const call: Call = {
    run: {
      id: 'run_1',
      skill: 'sample',
      stage: 'dev',
      version: '1.0.0',
      attempt: 1,
      deadline: new Date().toISOString(),
    },
    input,
    env: {},
    secrets: {},
    connections: {},
    redactor: null,
    timeout_ms: 120_000,
    ...rest,
  }
  const result = await session.invoke(
    call,
    (lines) => {
      logs.push(...lines)
      if (onLine !== undefined) lines.forEach(onLine)
    },
    signal,
  )
  return { result, output: result.status === 'succeeded' ? JSON.parse(result.output) : undefined, logs }
}

/** `failed/<reason>`, or the status. */
export const outcome = ({ result }: { result: CallResult }): string =>
  result.status === 'failed' ? `failed/${result.reason}` : result.status
