// What the scripts share. Plain JavaScript: it runs on the system's Node 20, before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { constants as os } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))
export const NODE = join(ROOT, 'node_modules', '.bin', 'node')
export const UV = join(ROOT, '.tools', 'uv', 'bin', 'uv')
/** Distributions patch their own Python and its modules; a shim of a version manager first in PATH is not what sandboxes see. */
export const PYTHON = '/usr/bin/python3'

export const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** A failure that the reader can mend: what happened, and the remedy. */
export class SetupError extends Error {
  constructor(message, fix) {
    super(message)
    this.fix = fix
  }
}

const colourful = process.stderr.isTTY === true && process.env.NO_COLOR === undefined
const paint = (code) => (text) => (colourful ? `\u001b[${code}m${text}\u001b[0m` : text)
export const dim = paint(2)
export const red = paint(31)
export const green = paint(32)
export const bold = paint(1)

export const say = (text) => void process.stderr.write(`${text}\n`)

/** The environment with the project's own tools first in PATH. */
export function toolEnv() {
  const PATH = [join(ROOT, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  return { ...process.env, PATH, NODE_COMPILE_CACHE: join(ROOT, '.tools', 'compile-cache') }
}

/** The environment without node_modules/.bin: for npm, which may be replacing it. */
export function systemEnv() {
  const parts = (process.env.PATH ?? '').split(delimiter).filter((part) => !part.includes('node_modules'))
  return { ...process.env, PATH: parts.join(delimiter) }
}

/** Full path of a program, or null. */
export function which(program) {
  for (const folder of `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter)) {
    const candidate = join(folder, program)
    try {
      accessSync(candidate, constants.X_OK)
      return candidate
    } catch {
      // not in this folder
    }
  }
  return null
}

/** What a program printed, or null when it could not be started or failed. */
export function ask(program, args) {
  const answer = spawnSync(program, args, { encoding: 'utf8' })
  return answer.status === 0 ? `${answer.stdout}${answer.stderr}`.trim() : null
}

/**
 * Runs a program to its end with its output collected.
 * @param {{ env?: NodeJS.ProcessEnv, live?: boolean }} options `live` shows the output as it comes, too.
 * @returns {Promise<{ code: number, output: string }>} A program that could not be started has code 127.
 */
export function run(program, args, { env = process.env, live = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (text) => {
        output += text
        if (live) process.stderr.write(text)
      })
    }
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}` }))
    child.on('close', (code, signal) => resolve({ code: code ?? 128 + os.signals[signal], output }))
  })
}

/**
 * Runs a program in the foreground with this terminal, and answers with its exit code. Signals go to the program, which decides
 * how to stop; a Ctrl-C in a terminal reaches it from there and is not sent twice.
 */
export function foreground(program, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'inherit' })
    process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? 128 + os.signals[signal]))
  })
}
