import { rm } from 'node:fs/promises'
import { filesInZip } from '../packages/verify-files.ts'
import type { Api } from './api.ts'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'
import { writeNewFile } from './new-file.ts'
import { signatureFileOf, signatureOf } from './signature-file.ts'
import { type Verified, requireSigned } from './verify-download.ts'

/** How its files lie in the zip: below one folder with its name, or at the root. */
export type ZipLayout = 'folder' | 'root'

export interface Downloaded extends Verified {
  readonly file: string
  /** Where the signature is. */
  readonly signature: string
}

/**
 * Writes a version into a new zip, and its signature beside it, if it is what was signed.
 * @param request.name Any name of the version.
 * @param request.fileOf Where to, once its number is known.
 * @param request.accept Looks at the zip before there is one; may throw.
 * @throws CliError
 */
export async function downloadVersion(
  api: Api,
  request: {
    readonly skill: string
    readonly name: string
    readonly layout: ZipLayout
    readonly fileOf: (number: string) => string
    readonly accept?: (draft: string) => Promise<void>
  },
): Promise<Downloaded> {
  const { skill, name, layout, accept } = request
  const { id, version } = await api.findVersion(skill, name)
  // It becomes part of a file's name.
  if (!/^\d[\w.+-]{0,99}$/.test(version)) {
    throw new CliError(EXIT.failed, `The server calls the version ${JSON.stringify(version).slice(0, 100)}.`, {
      why: 'That is no number of a version.',
      fix: 'Check --url and SKILLET_URL: nothing was written.',
    })
  }
  const file = request.fileOf(version)
  const signature = signatureFileOf(file)
  const { headers, bytes } = await api.downloadVersion(skill, id, layout)
  const envelope = signatureOf(headers)
  const { items: keys } = await api.signingKeys()
  const verified = await writeNewFile(file, bytes, async (draft) => {
    const found = requireSigned(file, await filesInZip(draft), envelope, keys)
    await accept?.(draft)
    return found
  })
  try {
    await writeNewFile(signature, [Buffer.from(`${JSON.stringify(envelope)}\n`)], async () => {})
  } catch (error) {
    // Without its signature it is not what was asked for.
    await rm(file)
    throw error
  }
  return { file, signature, ...verified }
}
