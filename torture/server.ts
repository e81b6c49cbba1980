import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const CLI = new URL('../src/cli/main.ts', import.meta.url).pathname
const CLOCK = new URL('clock.ts', import.meta.url).href

/** The real command in a process of its own, on one data folder for ever: it is killed and started again on it. */
export class TorturedServer {
  readonly dataDir: string
  readonly #clockFile: string
  #child: ChildProcess | null = null
  /** Settles when there is a server that answers; replaced when it is killed. */
  #up = Promise.withResolvers<string>()
  #answers = false
  /** The last lines of its log, for those who look for what went wrong. */
  readonly log: string[] = []

  constructor(dataDir: string, folder: string) {
    this.dataDir = dataDir
    this.#clockFile = join(folder, 'clock')
    writeFileSync(this.#clockFile, '0')
  }

  get pid(): number {
    return this.#child!.pid!
  }
  get alive(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }
  /** Waits while there is no server. */
  get url(): Promise<string> {
    return this.#up.promise
  }
  key(name: 'owner' | 'operator' = 'owner'): string {
    return readFileSync(join(this.dataDir, `${name}.key`), 'utf8').trim()
  }

  async start(): Promise<void> {
    const flags = [
      '--port',
      '0',
      '--log',
      'off',
      '--rate-limit',
      'off',
      '--lease',
      '2',
      '--webhook-network',
      '127.0.0.0/8',
    ]
    const child = spawn(process.execPath, ['--import', CLOCK, CLI, 'serve', '--data', this.dataDir, ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, SKILLET_TORTURE_CLOCK: this.#clockFile },
    })
    this.#child = child
    child.stderr.on('data', (chunk: Buffer) => {
      this.log.push(...chunk.toString().split('\n').filter(Boolean))
      this.log.splice(0, this.log.length - 400)
    })
    child.once('exit', () => {
      // Whoever waits already waits for the one that comes.
      if (this.#answers) this.#up = Promise.withResolvers<string>()
      this.#answers = false
    })
    const url = await this.#ready(child)
    this.#up.resolve(url)
    this.#answers = true
  }

  /** Also waits for its end. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!this.alive) return
    const child = this.#child!
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child!.kill(signal)
  }

  /** Sets its clock off by so many milliseconds, for it and its successors. */
  setClock(offset: number): void {
    writeFileSync(this.#clockFile, String(offset))
    if (this.alive) this.#child!.kill('SIGUSR2')
  }

  async #ready(child: ChildProcess): Promise<string> {
    const file = join(this.dataDir, 'server.json')
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`The server ended with ${child.exitCode ?? child.signalCode}:\n${this.log.join('\n')}`)
      const told = existsSync(file) ? readFileSync(file, 'utf8') : ''
      const info = told === '' ? null : (JSON.parse(told) as { pid: number; url: string })
      if (info !== null && info.pid === child.pid) {
        const answer = await fetch(`${info.url}/readyz`).catch(() => null)
        if (answer?.status === 200) return info.url
      }
      await pause(10)
    }
  }
}
