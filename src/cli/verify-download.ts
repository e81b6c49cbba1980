import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type TrustedKey, verifySignature } from '../model/signatures.ts'
import { type FilesAtHand, filesInFolder, filesInZip } from '../packages/verify-files.ts'
import type { Call } from './call.ts'
import { CliError, usageError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'
import { readKeys, readSignature, signatureFileOf } from './signature-file.ts'

export interface VerifyOptions {
  readonly signature?: string
  readonly publicKey?: readonly string[]
}

export interface Verified {
  readonly digest: string
  /** How many. */
  readonly files: number
  readonly skill: string
  readonly version: string
  readonly tenant: string
  readonly key: string
}

/** Whether a zip or a folder is what its signature says. @throws CliError when it is not */
export async function verifyDownload(call: Call<VerifyOptions>, path: string): Promise<void> {
  const { io, options } = call
  const full = resolve(io.cwd, path)
  const found = await stat(full).catch((error: Error) => {
    throw usageError(`${full} cannot be read: ${error.message}`, 'Name a zip or the folder of a skill.')
  })
  if (options.signature === undefined && found.isDirectory()) {
    throw usageError(`Which signature is that of ${full}?`, 'Name its file with --signature.')
  }
  const signature = options.signature === undefined ? signatureFileOf(full) : resolve(io.cwd, options.signature)
  const envelope = await readSignature(signature)
  const atHand = await (found.isDirectory() ? filesInFolder(full) : filesInZip(full))
  const verified = requireSigned(full, atHand, envelope, await trustedKeys(call))
  call.show({ ok: true, path: full, ...verified }, () => verifiedText(full, verified))
}

/** @throws CliError when they are not what was signed under one of the keys */
export function requireSigned(
  path: string,
  { files, digest, faults }: FilesAtHand,
  envelope: unknown,
  keys: readonly TrustedKey[],
): Verified {
  if (faults.length > 0) throw notSigned(path, digest, faults.slice(0, 5).join('; '))
  const result = verifySignature(envelope, keys, digest)
  if ('fault' in result) throw notSigned(path, digest, result.fault.replace(/\.$/, ''))
  const { tenant, skill, version } = result.statement.predicate
  return { digest, files: files.length, skill, version, tenant, key: result.key }
}

export const verifiedText = (path: string, { digest, files, skill, version, tenant, key }: Verified): string =>
  `ok    ${path}: ${files} files, ${digest}\n      ${skill} ${version} of tenant ${tenant}, signed under ${key}\n`

function notSigned(path: string, digest: string, why: string): CliError {
  return new CliError(EXIT.failed, `${path} is not what was signed.`, {
    why: `${why}.`,
    fix: 'Use none of it; download the version again, and its signature with it.',
    data: { digest },
  })
}

/** Those that were given, else the server's. */
export async function trustedKeys({ options, io, api }: Call<VerifyOptions>): Promise<readonly TrustedKey[]> {
  if (options.publicKey === undefined) return (await api().signingKeys()).items
  return (await Promise.all(options.publicKey.map((file) => readKeys(resolve(io.cwd, file))))).flat()
}
