import type { Readable } from 'node:stream'
import { Busboy, type BusboyInstance } from '@fastify/busboy'
import type { AnyCall } from '../http/route.ts'
import { SkilletError } from '../model/errors.ts'

/** A file of a form. */
export interface FilePart {
  readonly field: string
  /** As the client wrote it: whatever stands for a path, or nothing. */
  readonly filename: string | undefined
  readonly content: Readable
}

export interface MultipartReader {
  field(name: string, value: string): void
  /** Has to read the content to its end, or to throw: the next file waits. */
  file(part: FilePart): Promise<void>
}

/** Fields hold names and the like; a part has a name, a file name and a type. */
const LIMITS = { fields: 16, fieldSize: 4096, headerPairs: 8, headerSize: 4096 }
const TYPE = /^multipart\/form-data(?:\s*;|$)/i

/** What a part may have besides its content. */
const PART_BYTES = 2 * LIMITS.headerSize

/**
 * Reads a form as it arrives: its files one after another, and never more of them in memory than what is on the way.
 * @param most.bytes Of all files together, which the reader counts. Here it bounds the form: what stands before, between and behind its parts.
 * @throws SkilletError unsupported_media_type, bad_request, body_too_large for too many files; and whatever the reader throws.
 */
export async function readMultipart(
  call: Pick<AnyCall, 'header' | 'stream'>,
  { files, bytes }: { readonly files: number; readonly bytes: number },
  reader: MultipartReader,
): Promise<void> {
  const failed = Promise.withResolvers<never>()
  // Whoever waits for it hears of it, also when nobody waits yet.
  failed.promise.catch(() => {})
  const parser = parserFor(call.header('content-type'), files, failed.reject)
  const done = new Promise<void>((resolve) => parser.once('finish', resolve))
  const unread = new Set<Readable>()
  let reading = Promise.resolve()
  parser.on('error', (error) => failed.reject(unreadable(error)))
  parser.on('field', (written: string | undefined, value, _nameCut, cut) => {
    const name = written ?? ''
    if (cut) failed.reject(malformed(`The field "${name.slice(0, 100)}" has more than ${LIMITS.fieldSize} bytes.`))
    else reader.field(name, value)
  })
  parser.on('file', (written: string | undefined, content, filename: string | undefined) => {
    const field = written ?? ''
    unread.add(content)
    content.once('close', () => unread.delete(content))
    // What the reader gave up is told by the reader.
    content.on('error', (error) => content.destroyed || failed.reject(unreadable(error)))
    reading = reading.then(() => reader.file({ field, filename, content }))
    reading.catch(failed.reject)
  })
  try {
    await Promise.race([
      feed(parser, call.stream(), bytes + (files + LIMITS.fields) * PART_BYTES, failed.promise),
      failed.promise,
    ])
    await Promise.race([done, failed.promise])
    await Promise.race([reading, failed.promise])
  } catch (error) {
    parser.removeAllListeners('file')
    const reason = error instanceof Error ? error : new Error('The form was not read to its end.')
    for (const content of unread) content.destroy(reason)
    // What the reader has begun is undone before it is told.
    await reading.catch(() => {})
    throw error
  }
}

async function feed(
  parser: BusboyInstance,
  body: AsyncIterable<Uint8Array>,
  most: number,
  failed: Promise<never>,
): Promise<void> {
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > most) throw new SkilletError('body_too_large', `The form has more than ${most} bytes.`)
    if (!parser.write(chunk)) await Promise.race([new Promise((resolve) => parser.once('drain', resolve)), failed])
  }
  parser.end()
}

function parserFor(type: string | undefined, files: number, refuse: (error: SkilletError) => void): BusboyInstance {
  if (type === undefined || !TYPE.test(type)) {
    const what = type === undefined ? 'nothing that is named' : `"${type.slice(0, 100)}"`
    throw new SkilletError('unsupported_media_type', `The body comes as ${what}; files come as multipart/form-data.`)
  }
  const parts = files + LIMITS.fields
  const parser = open(type, { ...LIMITS, files, parts })
  const tooMany = (what: string): void => refuse(new SkilletError('body_too_large', what))
  parser.once('filesLimit', () => tooMany(`There are more than ${files} files.`))
  parser.once('partsLimit', () => tooMany(`There are more than ${parts} parts.`))
  parser.once('fieldsLimit', () => refuse(malformed(`There are more than ${LIMITS.fields} fields that hold no file.`)))
  return parser
}

function open(type: string, limits: Record<string, number>): BusboyInstance {
  try {
    return new Busboy({ headers: { 'content-type': type }, limits, preservePath: true })
  } catch {
    throw malformed('The Content-Type names no boundary.')
  }
}

const malformed = (what: string): SkilletError => new SkilletError('bad_request', `The form cannot be read. ${what}`)

/** The parser's texts are fixed ones, such as "Unexpected end of multipart data". */
function unreadable(error: unknown): unknown {
  return error instanceof SkilletError || !(error instanceof Error) ? error : malformed(`${error.message}.`)
}
