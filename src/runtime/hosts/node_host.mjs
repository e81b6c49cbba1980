/**
 * Runs a Node handler inside a sandbox: one process, one call at a time. The skill shares this process, so whatever it may patch
 * is captured here before the skill is imported. Descriptor 3 brings calls, 4 takes answers away; a frame is two big-endian
 * lengths, a JSON header and a body. The nonce of a call lives in a closure and has to be repeated in its answer, and in what is said after it.
 */
import fs from 'node:fs'
import { Socket } from 'node:net'
import process from 'node:process'

// What is imported by name changes when a skill changes the module.
const { readdirSync, realpathSync, rmSync, statSync, unlinkSync, writeSync } = fs
const CALLS = 3
const ANSWERS = 4
const MAX_OUTPUT = 6 * 1024 * 1024
const FOLDERS = ['/tmp/', '/dev/shm/']
/** The size of a folder with some hundred names, in bytes. */
const FEW_NAMES = 4096
// Elsewhere it runs without a sandbox, for development: what it must not do to the whole machine it does not do there.
const SANDBOXED = import.meta.filename.startsWith('/opt/skillet/hosts/')
const SKILL = SANDBOXED ? '/skill/' : `${realpathSync(`${process.env.SKILLET_ROOT}/skill`)}/`

const { parse, stringify } = JSON
const { defineProperty, getOwnPropertyDescriptor, keys } = Object
const { apply } = Reflect
const { allocUnsafe, concat, from } = Buffer
const { toString, subarray, readUInt32BE, writeUInt32BE, copy } = Buffer.prototype
const { slice, split, startsWith, includes, replaceAll } = String.prototype
const { filter, join } = Array.prototype
const { setTimeout: later, clearTimeout: never } = globalThis
const { Error: AnyError, String: text, AbortController: Abort, Promise: Wait } = globalThis
const { kill, exit } = process
const leave = (code) => apply(exit, process, [code])
const environment = process.env
const log = (...values) => console.log(...values)

const config = parse(process.argv[2])
let module = null
let running = null

process.on('uncaughtException', (error) => broken(error))
process.on('unhandledRejection', (error) => broken(error))

blocking('stdout')
blocking('stderr')
receive((frame) => {
  void perform(frame)
})
send(frameOf({ type: 'ready', after: null }))

async function perform({ header, body }) {
  const call = parse(body)
  const { nonce } = parse(header)
  const run = { nonce, done: false, answer: null }
  running = run
  setEnvironment({ ...call.env, ...call.secrets })
  const abort = new Abort()
  // A moment before the sandbox is killed, so that there is time to say something.
  const timer = later(() => abort.abort(), call.timeout_ms - Math.min(1000, call.timeout_ms / 10))
  let reason = 'runtime_error'
  try {
    module ??= await import(`${SKILL}${config.handler.file}`)
    const context = {
      env: { ...call.env, ...call.secrets },
      secrets: { ...call.secrets },
      run: call.run,
      log,
      signal: abort.signal,
      connections: call.connections,
    }
    if (config.handler.validates) {
      reason = 'validation_error'
      if ((await module.validate(call.input, context)) === false)
        throw new AnyError("The skill's validate() refused the input.")
      reason = 'runtime_error'
    }
    const value = await module.execute(call.input, context)
    reason = 'output_invalid'
    finish(run, value)
  } catch (error) {
    fail(run, reason, error)
  }
  never(timer)
  const ready = frameOf({ type: 'ready', after: nonce })
  // Nearly always: then both go in one piece, and nobody is woken twice.
  if (isClean()) return rest(concat([run.answer, ready]))
  send(run.answer)
  setEnvironment({})
  await clean()
  rest(ready)
}

function rest(frame) {
  running = null
  send(frame)
}

function finish(run, value) {
  const output = value === undefined ? 'null' : stringify(value)
  if (typeof output !== 'string') throw new AnyError(`The result is not JSON: it is a ${typeof value}.`)
  const body = from(output)
  if (body.length > MAX_OUTPUT) {
    fail(
      run,
      'output_too_large',
      new AnyError(`The result is ${body.length} bytes of JSON; at most ${MAX_OUTPUT} are taken.`),
    )
    return
  }
  if (run.done) return
  run.done = true
  run.answer = frameOf({ type: 'result', nonce: run.nonce }, body)
}

function fail(run, reason, error) {
  if (run.done) return
  run.done = true
  run.answer = frameOf({ type: 'error', nonce: run.nonce, reason, error: describe(error, reason) })
}

/** The skill left something running that failed: the run fails with it, and the process is not to be trusted any more. */
function broken(error) {
  if (running !== null) {
    const told = running.done
    fail(running, 'runtime_error', error)
    if (!told) send(running.answer)
  }
  leave(1)
}

function describe(error, reason) {
  try {
    const isError = error instanceof AnyError
    const described = {
      type: cut(isError ? text(error.name) : 'Error', 200),
      message: cut(isError ? text(error.message) : `The skill threw ${show(error)}.`, 8192),
    }
    if (reason === 'runtime_error' && isError && typeof error.stack === 'string') described.stack = stack(error.stack)
    return described
  } catch {
    return { type: 'Error', message: '(its text cannot be made)' }
  }
}

function show(value) {
  const shown = typeof value === 'string' ? value : stringify(value)
  return shown === undefined ? text(value) : shown
}

/** Without frames of Node and of this file, with paths as they are in the package. */
function stack(full) {
  const lines = apply(split, full, ['\n'])
  const kept = apply(filter, lines, [(line) => !apply(startsWith, line, ['    at ']) || apply(includes, line, [SKILL])])
  const plain = apply(replaceAll, apply(join, kept, ['\n']), [`file://${SKILL}`, ''])
  return cut(apply(replaceAll, plain, [SKILL, '']), 16_384)
}

function cut(string, length) {
  return apply(slice, string, [0, length])
}

/**
 * A stream that writes at once, made when it is first asked for. What waited in this process for room in the pipe would come after the
 * result: too late for the log of its run, and into that of the next.
 */
function blocking(name) {
  const property = getOwnPropertyDescriptor(process, name)
  let stream = null
  function get() {
    if (stream === null) {
      stream = apply(property.get, process, [])
      stream._handle?.setBlocking(true)
    }
    return stream
  }
  defineProperty(process, name, { ...property, get })
}

/** `process.env` holds exactly the run's environment; what a skill may have put in its place is put back. */
function setEnvironment(wanted) {
  defineProperty(process, 'env', { value: environment, configurable: true, enumerable: true, writable: true })
  for (const name of keys(environment)) delete environment[name]
  for (const name of keys(wanted)) environment[name] = wanted[name]
}

/** Whether the run left nothing at all, once its environment is gone. Runs nothing of the skill's. */
function isClean() {
  try {
    setEnvironment({})
    return !SANDBOXED || (!killOthers() && isEmpty(FOLDERS[0]) && isEmpty(FOLDERS[1]))
  } catch {
    return false
  }
}

/** A folder in memory has a size by the number of its names: there may be a million, the result waits for this, and it is not for reading them. */
function isEmpty(path) {
  return statSync(path).size < FEW_NAMES && readdirSync(path).length === 0
}

/** Ends processes that the run left and empties what it could write to. What cannot be emptied ends the sandbox. */
async function clean() {
  if (!SANDBOXED) return
  for (let tries = 0; killOthers(); tries++) {
    if (tries > 1000) leave(1)
    // Until they are dead and waited for, which the event loop does.
    await new Wait((resolve) => later(resolve, 1))
  }
  try {
    for (const folder of FOLDERS) {
      for (const name of readdirSync(folder)) remove(folder + name)
    }
  } catch {
    leave(1)
  }
}

/** Not by `rmSync` alone: in gVisor's kernel it would follow a link to a folder. */
function remove(path) {
  try {
    unlinkSync(path)
  } catch {
    rmSync(path, { recursive: true, force: true })
  }
}

/** False when there are none. */
function killOthers() {
  try {
    apply(kill, process, [-1, 'SIGKILL'])
    return true
  } catch {
    return false
  }
}

function frameOf(header, body) {
  const head = from(stringify(header))
  const size = body === undefined ? 0 : body.length
  const frame = allocUnsafe(8 + head.length + size)
  apply(writeUInt32BE, frame, [head.length, 0])
  apply(writeUInt32BE, frame, [size, 4])
  apply(copy, head, [frame, 8])
  if (size > 0) apply(copy, body, [frame, 8 + head.length])
  return frame
}

function send(frame) {
  for (let sent = 0; sent < frame.length;) sent += writeSync(ANSWERS, frame, sent)
}

function receive(onFrame) {
  let chunks = []
  let have = 0
  let need = 8
  const socket = new Socket({ fd: CALLS, readable: true, writable: false })
  socket.on('end', () => leave(0))
  socket.on('data', (chunk) => {
    chunks[chunks.length] = chunk
    have += chunk.length
    while (have >= need) {
      const all = chunks.length === 1 ? chunks[0] : concat(chunks)
      const head = apply(readUInt32BE, all, [0])
      const body = apply(readUInt32BE, all, [4])
      need = 8 + head + body
      chunks = [all]
      if (have < need) return
      const frame = {
        header: apply(toString, all, ['utf8', 8, 8 + head]),
        body: apply(toString, all, ['utf8', 8 + head, need]),
      }
      chunks = have === need ? [] : [apply(subarray, all, [need])]
      have -= need
      need = 8
      onFrame(frame)
    }
  })
}
