import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'

const OPERATORS = ['/api/vault', '/api/tenants', '/metrics']
/** Streams that end only with their reader. */
const ENDLESS = new Set(['followTenant', 'followStage'])

/** What some ask for besides their path, by how that ends. */
const QUERIES = [
  ['/diff', '?from={version}&to={version}'],
  ['/file', '?path={file}'],
] as const

interface Document {
  paths: Record<string, { get?: { operationId: string; responses: { 200?: { content?: object } } } }>
}

/** Calls a server as its owner or operator, whoever may, and remembers all that it answers. */
export class Reader {
  readonly #url: string
  readonly #dataDir: string
  readonly #said: Record<string, string>
  #calls = 0

  /** @param said Takes the answers, under the names of the calls. */
  constructor(url: string, dataDir: string, said: Record<string, string>) {
    this.#url = url
    this.#dataDir = dataDir
    this.#said = said
  }

  async call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<string> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await this.#send(method, path, { ...json, ...headers }, body === undefined ? {} : { body })
    return this.#note(method, path, answer, await answer.text())
  }

  /** A stream that never ends, until an event has this id. @returns The ids that it gave. */
  async stream(path: string, until?: string): Promise<string[]> {
    const stop = new AbortController()
    const answer = await this.#send('GET', path, {}, { signal: stop.signal })
    const decoder = new TextDecoder()
    let text = ''
    let ids: string[] = []
    for await (const chunk of answer.body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      const frames = text.split('\n\n').slice(0, -1)
      ids = frames.flatMap((frame) => /^id: (.*)$/m.exec(frame)?.[1] ?? [])
      if (until === undefined ? ids.length > 0 : ids.includes(until)) break
    }
    stop.abort()
    this.#note('GET', path, answer, text)
    return ids
  }

  /**
   * Every answer to a GET that the document promises; each has to be one that tells something.
   * @param begin Streams are read from after this event up to what is newest.
   * @param params Names and ids, for the parameters of paths.
   * @returns How many there are, and how many events the endless streams of them held.
   */
  async everything(begin: string, params: Record<string, string>): Promise<{ answers: number; events: number[] }> {
    const { paths } = JSON.parse(await this.call('GET', '/openapi.json')) as Document
    const unknown: string[] = []
    const refused: string[] = []
    const events: number[] = []
    let answers = 0
    for (const [path, { get }] of Object.entries(paths)) {
      // Archives hold the files of skills that have a SKILL.md, and nothing else.
      if (get === undefined || path.includes('{archive}')) continue
      answers++
      const asked = path + (QUERIES.find(([end]) => path.endsWith(end))?.[1] ?? '')
      const filled = asked.replaceAll(/\{(\w+)\}/g, (all, name: string) => params[name] ?? (unknown.push(path), all))
      if (ENDLESS.has(get.operationId)) {
        expect(Object.keys(get.responses[200]?.content ?? {})).toContain('text/event-stream')
        // Without an id a stream begins with that of what came last.
        const [newest] = await this.stream(filled)
        const ids = await this.stream(`${filled}?after=${begin}`, newest)
        // The first is where it begins.
        events.push(ids.length - 1)
        continue
      }
      await this.call('GET', filled)
      if (!this.#said[`${this.#calls}: GET ${filled}`]!.startsWith('200 ')) refused.push(path)
      await this.call('GET', filled, undefined, { accept: 'text/plain' })
    }
    expect(unknown).toEqual([])
    expect(refused).toEqual([])
    return { answers, events }
  }

  async #send(method: string, path: string, headers: Record<string, string>, init: RequestInit): Promise<Response> {
    const file = OPERATORS.some((prefix) => path.startsWith(prefix)) ? 'operator.key' : 'owner.key'
    const authorization = `Bearer ${(await readFile(join(this.#dataDir, file), 'utf8')).trim()}`
    return fetch(new URL(path, this.#url), { ...init, method, headers: { authorization, ...headers } })
  }

  #note(method: string, path: string, answer: Response, text: string): string {
    this.#said[`${++this.#calls}: ${method} ${path}`] =
      `${answer.status} ${JSON.stringify([...answer.headers])} ${text}`
    return text
  }
}
