import { Readable } from 'node:stream'
import type { AnyCall } from '../http/route.ts'
import type { Services } from '../http/services.ts'
import { SkilletError } from '../model/errors.ts'
import { LIMITS } from '../model/sizes.ts'
import { createFindings } from '../packages/rules.ts'
import { checkName, printable } from '../packages/zip/names.ts'
import { rejected } from '../skills/rejection.ts'
import { type FilePart, readMultipart } from './multipart.ts'
import { createZipWriter } from './zip-writer.ts'

/** What a dialect takes at the most. */
export interface UploadLimits {
  readonly files: number
  /** Of all files together. */
  readonly bytes: number
  readonly fileBytes: number
}

export interface SkillUpload {
  /** A zip among the blobs. */
  readonly archive: { readonly sha256: string; readonly size: number }
  /** What was sent besides files, the last one of each name. */
  readonly fields: ReadonlyMap<string, string>
}

/** What every client of the Claude Skills API knows, word for word. */
export const NOT_AT_TOP = 'SKILL.md file must be exactly in the top-level folder.'

/**
 * Takes a skill in as it arrives: one part for each file, or one part that is a zip, told by its first bytes.
 * @throws SkilletError package_rejected for paths, body_too_large, bad_request, unsupported_media_type
 */
export async function receiveSkill(
  call: Pick<AnyCall, 'header' | 'stream' | 'signal'>,
  blobs: Services['blobs'],
  most: UploadLimits,
): Promise<SkillUpload> {
  const fields = new Map<string, string>()
  const paths: string[] = []
  const measure = createMeasure(most)
  const zip = createZipWriter(blobs, call.signal())
  /** The first file, if it is a zip: the skill itself unless others follow it. */
  let first: { path: string; archive: SkillUpload['archive'] } | null = null

  async function take({ field, filename, content }: FilePart): Promise<void> {
    if (!/^files(?:\[\d*\])?$/.test(field)) {
      throw new SkilletError('bad_request', `A file came as "${field.slice(0, 100)}": files are sent as "files[]".`)
    }
    const path = pathOf(filename)
    paths.push(path)
    const { isZip, bytes } = await peek(measure(path, content))
    if (paths.length === 1 && isZip) {
      first = { path, archive: await blobs.put(bytes, { maxBytes: most.bytes, signal: call.signal() }) }
      return
    }
    if (first !== null) {
      await zip.add(first.path, await blobs.read(first.archive.sha256))
      first = null
    }
    await zip.add(path, Readable.from(bytes, { objectMode: false }))
  }

  try {
    await readMultipart(call, most, { field: (name, value) => void fields.set(name, value), file: take })
    const only = first as { archive: SkillUpload['archive'] } | null
    if (only !== null) return { archive: only.archive, fields }
    if (paths.length === 0) throw new SkilletError('bad_request', 'There are no files: send each as "files[]".')
    requireSkillMdAtTop(paths)
    return { archive: await zip.end(), fields }
  } finally {
    await zip.discard()
  }
}

/** As it stands in the zip. Windows and Unix alike, `./` means nothing, and forms write quotes as `%22`. @throws SkilletError package_rejected */
function pathOf(filename: string | undefined): string {
  if (filename === undefined || filename === '') {
    throw new SkilletError(
      'bad_request',
      'A file has no name: send its path, such as "my-skill/SKILL.md", as filename.',
    )
  }
  const path = filename
    .replaceAll('%22', '"')
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '')
  const findings = createFindings()
  checkName({ path, name: Buffer.from(path) }, LIMITS.pathChars, findings)
  // What the parser of the form writes for bytes that it cannot read: two such names may be one here.
  if (path.includes('\ufffd'))
    findings.add('zip.name_encoding', `The name "${printable(path)}" is not valid UTF-8.`, path)
  if (path.endsWith('/')) findings.add('zip.unclean_path', `"${path}" names a folder, not a file.`, path)
  if (findings.denied) throw rejected(findings.list())
  return path
}

/** Within one folder around everything, or without one. @throws SkilletError package_rejected */
function requireSkillMdAtTop(paths: readonly string[]): void {
  const top = paths[0]!.slice(0, paths[0]!.indexOf('/') + 1)
  const wrapped = top !== '' && paths.every((path) => path.startsWith(top))
  const isAtTop = (path: string): boolean =>
    ['SKILL.md', 'skill.md'].some((name) => path === (wrapped ? top : '') + name)
  if (paths.some(isAtTop)) return
  const elsewhere = paths.find((path) => /(?:^|\/)skill\.md$/i.test(path))
  const where = elsewhere === undefined ? 'There is none.' : `There is "${elsewhere}".`
  const findings = createFindings()
  findings.add('skill_md.missing', `${NOT_AT_TOP} ${where}`, elsewhere)
  throw rejected(findings.list())
}

/** Counts what passes. @throws SkilletError body_too_large */
function createMeasure(most: UploadLimits) {
  let total = 0
  return async function* (path: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    let size = 0
    for await (const chunk of content) {
      size += chunk.byteLength
      total += chunk.byteLength
      if (size > most.fileBytes) {
        throw new SkilletError(
          'body_too_large',
          `The file "${path}" has more than the ${most.fileBytes} bytes allowed.`,
        )
      }
      if (total > most.bytes) {
        throw new SkilletError('body_too_large', `The files have more than the ${most.bytes} bytes allowed together.`)
      }
      yield chunk
    }
  }
}

const ZIP = Buffer.from('PK\u0003\u0004')

/** Looks at the first bytes, and gives them back with the rest. */
async function peek(
  content: AsyncGenerator<Uint8Array, void>,
): Promise<{ isZip: boolean; bytes: AsyncGenerator<Uint8Array, void> }> {
  const head: Uint8Array[] = []
  let size = 0
  while (size < ZIP.length) {
    const { value, done } = await content.next()
    if (done === true || value === undefined) break
    head.push(value)
    size += value.byteLength
  }
  async function* whole(): AsyncGenerator<Uint8Array, void> {
    yield* head
    yield* content
  }
  return { isZip: Buffer.concat(head).subarray(0, ZIP.length).equals(ZIP), bytes: whole() }
}
