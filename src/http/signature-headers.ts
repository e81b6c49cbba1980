import { SIGNATURE_HEADER } from '../model/signatures.ts'
import type { Signed, Signing } from '../skills/signing.ts'

/** How a signature goes with a download, in whatever dialect. */
export async function signatureHeaders(signing: Signing, version: Signed): Promise<Record<string, string>> {
  const envelope = await signing.sign(version)
  return { [SIGNATURE_HEADER]: Buffer.from(JSON.stringify(envelope)).toString('base64url') }
}
