import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventSourceMessage, createParser } from 'eventsource-parser'
import yazl from 'yazl'
import { type RunningServer, type ServerOptions, startServer } from '../../src/server.ts'
import type { Run, RunEvent } from '../../src/model/runs.ts'
import type { Upload } from '../../src/model/skills.ts'

export type Files = Record<string, string | Buffer>

export interface Answer<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

export interface Problem {
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly fix: string
  readonly run_id?: string
  readonly errors?: { pointer: string; message: string }[]
}

/** A server on a data folder of its own, spoken to over real sockets. */
export class TestServer {
  readonly dataDir: string
  #server: RunningServer
  #owned: boolean

  private constructor(dataDir: string, server: RunningServer, owned: boolean) {
    this.dataDir = dataDir
    this.#server = server
    this.#owned = owned
  }

  static async start(options: Partial<ServerOptions> = {}): Promise<TestServer> {
    const owned = options.dataDir === undefined
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'skillet-e2e-')))
    const server = await startServer({ host: '127.0.0.1', port: 0, log: () => {}, ...options, dataDir })
    return new TestServer(dataDir, server, owned)
  }

  get url(): string {
    return this.#server.url
  }
  get key(): string {
    return this.#server.key!
  }
  get operatorKey(): string {
    return this.#server.operatorKey!
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    if (this.#owned) await rm(this.dataDir, { recursive: true, force: true })
  }

  async call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T }
  }

  /** Like `call`, for what has to work. */
  async ok<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const answer = await this.call<T>(method, path, body, headers)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Makes the skill if need be, uploads and waits for the verdict. */
  async upload(skill: string, stage: string, files: Files): Promise<Upload> {
    await this.call('POST', '/api/skills', { name: skill, description: 'A skill of a test.' })
    const zip = await zipOf(files)
    const base = `/api/skills/${skill}/stages/${stage}`
    await this.ok('PUT', base, { config: {} })
    const ticket = await this.ok<{ upload_id: string; url: string; headers: Record<string, string> }>(
      'POST',
      `${base}/uploads`,
      {
        size: zip.length,
        sha256: createHash('sha256').update(zip).digest('hex'),
      },
    )
    const put = await fetch(ticket.url, { method: 'PUT', headers: ticket.headers, body: new Uint8Array(zip) })
    if (!put.ok) throw new Error(`PUT: ${put.status} ${await put.text()}`)
    return this.until(
      () => this.ok<Upload>('GET', `${base}/uploads/${ticket.upload_id}`),
      ({ state }) => state === 'accepted' || state === 'rejected',
    )
  }

  /** Upload that must be accepted, configuration, deploy. */
  async deploy(skill: string, files: Files, config: object = {}, stage: string = 'dev'): Promise<void> {
    const upload = await this.upload(skill, stage, files)
    if (upload.state !== 'accepted')
      throw new Error(`${skill} was rejected: ${JSON.stringify(upload.findings, null, 1)}`)
    const base = `/api/skills/${skill}/stages/${stage}`
    await this.ok('PUT', base, { config })
    await this.ok('POST', `${base}/deploy`, { bump: 'major', change_level: 'major' })
  }

  /** Invokes and waits for the terminal state. */
  async run(skill: string, input: unknown, stage: string = 'dev'): Promise<Run> {
    return this.ok<Run>('POST', `/api/skills/${skill}/stages/${stage}/invoke`, { input }, { prefer: 'wait=60' })
  }

  /** Invokes and answers at once. */
  async begin(skill: string, input: unknown, stage: string = 'dev'): Promise<string> {
    const { run_id } = await this.ok<{ run_id: string }>('POST', `/api/skills/${skill}/stages/${stage}/invoke`, {
      input,
    })
    return run_id
  }

  find(run: string): Promise<Run> {
    return this.ok<Run>('GET', `/api/runs/${run}`)
  }

  async finished(run: string): Promise<Run> {
    return this.until(
      () => this.find(run),
      ({ finished_at }) => finished_at !== null,
    )
  }

  async reached(run: string, status: Run['status']): Promise<Run> {
    return this.until(
      () => this.find(run),
      (seen) => seen.status === status,
    )
  }

  /** Reads a run's events with a parser of other people's making until the result, or until `enough` says so. */
  async events(run: string, lastEventId?: number, enough?: (event: RunEvent) => boolean): Promise<RunEvent[]> {
    const abort = new AbortController()
    const response = await fetch(new URL(`/api/runs/${run}/events`, this.url), {
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }),
      },
      signal: abort.signal,
    })
    if (!response.ok || response.body === null) throw new Error(`events: ${response.status} ${await response.text()}`)
    const events: RunEvent[] = []
    let over = false
    const parser = createParser({
      onEvent(message: EventSourceMessage) {
        if (over) return
        const { type, at, data } = JSON.parse(message.data) as Pick<RunEvent, 'type' | 'at' | 'data'>
        if (type !== message.event) throw new Error(`Event ${message.id} is called ${message.event} and holds ${type}.`)
        const event: RunEvent = { run, seq: Number(message.id), type, at, data }
        events.push(event)
        over = event.type === 'result' || (enough?.(event) ?? false)
      },
    })
    const decoder = new TextDecoder()
    for await (const chunk of response.body) {
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }))
      if (over) break
    }
    abort.abort()
    return events
  }

  /** Polls until the answer is as wished; the test's own timeout is the only limit. */
  async until<T>(look: () => Promise<T>, wished: (seen: T) => boolean): Promise<T> {
    // What takes long is asked for less often: each question costs the server time that it needs for the answer.
    for (let pause = 5; ; pause = Math.min(50, pause * 1.3)) {
      const seen = await look()
      if (wished(seen)) return seen
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}

export function zipOf(files: Files): Promise<Buffer> {
  const zip = new yazl.ZipFile()
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content as Buffer), name)
  zip.end()
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  zip.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk))
  zip.outputStream.on('end', () => resolve(Buffer.concat(chunks)))
  zip.outputStream.on('error', reject)
  return promise
}

/** A Python package of one file, its input unchecked unless a schema is given. */
export function python(
  name: string,
  main: string,
  more: { input?: object; output?: object; files?: Files } = {},
): Files {
  const manifest = {
    name,
    description: `The skill ${name} of a test.`,
    ...(more.input === undefined ? {} : { input_schema: more.input }),
    ...(more.output === undefined ? {} : { output_schema: more.output }),
  }
  // JSON is YAML.
  return { 'skill.yaml': JSON.stringify(manifest), 'main.py': main, ...more.files }
}

/** A TypeScript package of one file. */
export function typescript(
  name: string,
  index: string,
  more: { input?: object; output?: object; files?: Files } = {},
): Files {
  const manifest = {
    spm: '1.0',
    namespace: 'test',
    name,
    version: '1.0.0',
    description: `The skill ${name} of a test.`,
    entry: './index.ts',
    runtime: 'node',
    input: more.input ?? { type: 'object' },
    output: more.output ?? { type: 'object' },
  }
  return { 'spm.yaml': JSON.stringify(manifest), 'index.ts': index, ...more.files }
}
