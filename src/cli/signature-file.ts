import { createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { SIGNATURE_HEADER, type TrustedKey, keyIdOf } from '../model/signatures.ts'
import { CliError, usageError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

/** Where the signature of a download is kept, and looked for. */
export const signatureFileOf = (download: string): string => `${download}.dsse.json`

/** What a file holds that ought to be an envelope; whether it is one is found when it is verified. @throws CliError */
export async function readSignature(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw usageError(
      `The signature cannot be read from ${file}: ${error.message}`,
      'Name the file of the signature with --signature; "skillet version signature" prints it.',
    )
  })
  return parse(text)
}

/** What came with a download. @throws CliError when nothing did */
export function signatureOf(headers: Headers): unknown {
  const header = headers.get(SIGNATURE_HEADER)
  if (header !== null) return parse(Buffer.from(header, 'base64url').toString('utf8'))
  throw new CliError(EXIT.failed, `The download came without the header "${SIGNATURE_HEADER}".`, {
    fix: 'See whether something between here and the server takes headers away.',
  })
}

/** All public keys in a file of PEM blocks. @throws CliError */
export async function readKeys(file: string): Promise<TrustedKey[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw notKeys(file, error.message)
  })
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----\n?/g)
  if (blocks === null) throw notKeys(file, 'There is no PEM block "PUBLIC KEY" in it.')
  return blocks.map((public_key) => {
    try {
      const { asymmetricKeyType } = createPublicKey(public_key)
      if (asymmetricKeyType !== 'ed25519') throw new Error(`A key in it is ${asymmetricKeyType}, not ed25519.`)
      return { id: keyIdOf(public_key), public_key }
    } catch (error) {
      throw notKeys(file, (error as Error).message)
    }
  })
}

function notKeys(file: string, why: string): CliError {
  return new CliError(EXIT.usage, `${file} holds no keys to verify with.`, {
    why,
    fix: 'Give a file that "skillet signing-key list --pem" made.',
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
