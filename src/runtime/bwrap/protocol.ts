import { FailureReason } from '../../model/runs.ts'
import type { RunError } from '../../model/runs.ts'
import { LIMITS } from '../../model/sizes.ts'

/**
 * What a host inside a sandbox may say. Bodies are bytes: what is in them is checked by whoever takes them. Everything names the run that it
 * is about by its nonce, so that nothing said too early can be meant for a run that was not there yet.
 */
export type HostMessage =
  /** Cleaned up, and waiting for a call. `after` is the run that it had; null: none yet. */
  | { readonly type: 'ready'; readonly after: string | null }
  | { readonly type: 'result'; readonly nonce: string; readonly body: Buffer }
  | { readonly type: 'error'; readonly nonce: string; readonly reason: FailureReason; readonly error: RunError }
  /** The process of the run ended without an answer. */
  | { readonly type: 'ended'; readonly nonce: string; readonly code: number | null; readonly signal: number | null }

/** The other side did not keep to the protocol: it is not to be listened to any more. */
export class ProtocolFault extends Error {
  override readonly name = 'ProtocolFault'
}

/** Two big-endian lengths, a JSON header and a body. */
export function encodeFrame(header: object, body: string): Buffer {
  const head = Buffer.from(JSON.stringify(header))
  const size = Buffer.byteLength(body)
  const frame = Buffer.allocUnsafe(8 + head.length + size)
  frame.writeUInt32BE(head.length, 0)
  frame.writeUInt32BE(size, 4)
  head.copy(frame, 8)
  frame.write(body, 8 + head.length)
  return frame
}

/** Puts frames together from chunks of any size, and holds no more than one frame of allowed size. */
export class FrameReader {
  #chunks: Buffer[] = []
  #have = 0
  #need = PREFIX

  /** @throws ProtocolFault */
  push(chunk: Buffer): HostMessage[] {
    this.#chunks.push(chunk)
    this.#have += chunk.length
    const messages: HostMessage[] = []
    while (this.#have >= this.#need) {
      const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
      const head = all.readUInt32BE(0)
      const body = all.readUInt32BE(4)
      if (head > MAX_HEADER || body > LIMITS.outputBytes) throw new ProtocolFault('It sent a frame that is too long.')
      this.#chunks = [all]
      this.#need = PREFIX + head + body
      if (this.#have < this.#need) break
      messages.push(read(all.subarray(PREFIX, PREFIX + head), all.subarray(PREFIX + head, this.#need)))
      this.#chunks = [all.subarray(this.#need)]
      this.#have -= this.#need
      this.#need = PREFIX
    }
    return messages
  }
}

const PREFIX = 8
const MAX_HEADER = 64 * 1024
const MESSAGE_CHARS = 8192
const STACK_CHARS = 16_384
/** What a host may report; the rest is for the platform to say. */
const REPORTED = FailureReason.extract(['runtime_error', 'validation_error', 'output_invalid', 'output_too_large'])

/** Copies what is expected, of the expected type, from own keys, and nothing else. */
function read(head: Buffer, body: Buffer): HostMessage {
  const header = parse(head)
  const type = own(header, 'type')
  if (type === 'ready') return { type, after: own(header, 'after') === null ? null : string(header, 'after', 64) }
  if (type === 'result') return { type, nonce: string(header, 'nonce', 64), body }
  if (type === 'error') {
    const reason = REPORTED.safeParse(own(header, 'reason'))
    const error = own(header, 'error')
    if (!reason.success || !isObject(error)) throw new ProtocolFault('It sent an error without a reason.')
    const stack = own(error, 'stack')
    return {
      type,
      nonce: string(header, 'nonce', 64),
      reason: reason.data,
      error: {
        type: string(error, 'type', 200),
        message: string(error, 'message', MESSAGE_CHARS),
        ...(typeof stack === 'string' ? { stack: stack.slice(0, STACK_CHARS).toWellFormed() } : {}),
      },
    }
  }
  if (type === 'ended') {
    return { type, nonce: string(header, 'nonce', 64), code: number(header, 'code'), signal: number(header, 'signal') }
  }
  if (type === 'fault') throw new ProtocolFault(`It sent ${string(header, 'message', 200)}.`)
  throw new ProtocolFault('It sent a frame of no known type.')
}

function parse(bytes: Buffer): object {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new ProtocolFault('It sent a frame whose header is not JSON.', { cause: error })
  }
  if (!isObject(value)) throw new ProtocolFault('It sent a frame whose header is not an object.')
  return value
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined
}

function string(object: object, key: string, maxChars: number): string {
  const value = own(object, key)
  if (typeof value !== 'string') throw new ProtocolFault(`It sent a frame without a ${key}.`)
  return value.slice(0, maxChars).toWellFormed()
}

function number(object: object, key: string): number | null {
  const value = own(object, key)
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null
}
