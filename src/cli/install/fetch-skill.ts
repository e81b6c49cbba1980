import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PackageFile } from '../../model/packages.ts'
import { SignatureEnvelope } from '../../model/signatures.ts'
import { LIMITS } from '../../model/sizes.ts'
import type { Version } from '../../model/skills.ts'
import { unpack } from '../../packages/zip/unpack.ts'
import type { Api } from '../api.ts'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { signatureOf } from '../signature-file.ts'
import { requireSigned } from '../verify-download.ts'
import type { LockedSkill } from './lock-file.ts'

/** Files that were fetched and checked, and where they lie. */
export interface FetchedSkill extends Pick<LockedSkill, 'signature' | 'key'> {
  readonly dir: string
  readonly files: readonly PackageFile[]
}

/** Takes a version from the server: every byte is what its digest says, and what was signed. @param draft Where it may write. */
export async function fetchSkill(
  api: Api,
  { skill, version }: { readonly skill: string; readonly version: Pick<Version, 'id' | 'digest' | 'version'> },
  draft: string,
): Promise<FetchedSkill> {
  const name = `${skill} ${version.version}`
  const { headers, bytes } = await api.downloadVersion(skill, version.id)
  const envelope = SignatureEnvelope.safeParse(signatureOf(headers))
  if (!envelope.success) throw notThat(name, 'Its signature is no DSSE envelope.')
  const archive = join(draft, 'skill.zip')
  await pipeline(Readable.from(bytes), createWriteStream(archive, { flags: 'wx' }))
  const dir = join(draft, 'files')
  const { findings, unpacked } = await unpack({ archive, targetDir: dir, limits: LIMITS })
  if (unpacked === null) throw notThat(name, findings.map(({ message }) => message).join(' '))
  if (unpacked.digest !== version.digest) {
    throw notThat(name, `Its files are ${unpacked.digest}, and should be ${version.digest}.`)
  }
  const keys = (await api.signingKeys()).items
  const { key: id, ...signed } = requireSigned(name, { ...unpacked, faults: [] }, envelope.data, keys)
  if (signed.skill !== skill || signed.version !== version.version) {
    throw notThat(name, `It was signed as ${signed.skill} ${signed.version}.`)
  }
  const { public_key } = keys.find((key) => key.id === id)!
  return { dir, files: unpacked.files, signature: envelope.data, key: { id, public_key } }
}

const notThat = (name: string, why: string): CliError =>
  new CliError(EXIT.failed, `What the server sent is not ${name}.`, { why, fix: 'Nothing was installed. Try again.' })
