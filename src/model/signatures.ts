import { createHash, createPublicKey, verify } from 'node:crypto'
import { z } from 'zod'
import { Instant } from './json.ts'

/** A key under which a tenant signs what its versions are. The private half is in the vault and nowhere else. */
export const SigningKey = z
  .object({
    id: z
      .string()
      .meta({ description: '`ed25519-` and the first 16 hex digits of the SHA-256 of the public key (SPKI, DER).' }),
    tenant: z.string(),
    public_key: z.string().meta({ description: 'PEM (SPKI).' }),
    created_at: Instant,
    retired_at: Instant.nullable().meta({
      description: 'Since then nothing is signed with it; what was goes on holding.',
    }),
  })
  .meta({ id: 'SigningKey' })
export type SigningKey = z.infer<typeof SigningKey>

/** A DSSE envelope (github.com/secure-systems-lab/dsse), as it travels. */
export const SignatureEnvelope = z
  .object({
    payloadType: z.literal('application/vnd.in-toto+json'),
    payload: z.string().meta({ description: 'Base64 of an in-toto statement.' }),
    signatures: z
      .array(z.object({ keyid: z.string(), sig: z.string() }))
      .min(1)
      .max(8),
  })
  .meta({ id: 'SignatureEnvelope' })
export type SignatureEnvelope = z.infer<typeof SignatureEnvelope>

/** What is signed: an in-toto statement v1 of which the package digest is the subject. */
export const VersionStatement = z.object({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z
    .array(z.object({ name: z.string(), digest: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }) }))
    .length(1),
  predicateType: z.literal('urn:skillet:version:v1'),
  predicate: z.object({ tenant: z.string(), skill: z.string(), version: z.string() }),
})
export type VersionStatement = z.infer<typeof VersionStatement>

export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

/** The header in which a signature comes with a download: the envelope as JSON, in base64url. */
export const SIGNATURE_HEADER = 'skillet-signature'

export function keyIdOf(publicKeyPem: string): string {
  const der = createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' })
  return `ed25519-${createHash('sha256').update(der).digest('hex').slice(0, 16)}`
}

/** The bytes that DSSE signs. */
export function preAuthEncoding(payload: Buffer): Buffer {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `
  return Buffer.concat([Buffer.from(head), payload])
}

/** Whose it is, where that is known: then it signs for nobody else. */
export type TrustedKey = Pick<SigningKey, 'id' | 'public_key'> & Partial<Pick<SigningKey, 'tenant'>>

/**
 * What the envelope says, if one of the keys signed it and it is about the package with that digest.
 * @param digest `sha256:…` of the files that are at hand (packages/digest.ts).
 * @returns The statement and the key, or why it does not hold.
 */
export function verifySignature(
  envelope: unknown,
  keys: readonly TrustedKey[],
  digest: string,
): { readonly statement: VersionStatement; readonly key: string } | { readonly fault: string } {
  const parsed = SignatureEnvelope.safeParse(envelope)
  if (!parsed.success) return { fault: 'What was given is no DSSE envelope.' }
  const payload = Buffer.from(parsed.data.payload, 'base64')
  const signed = preAuthEncoding(payload)
  const holding = parsed.data.signatures.find(({ keyid, sig }) => {
    // The id is a hint: what counts is that the key itself is among those that are trusted.
    const key = keys.find(({ id }) => id === keyid)
    return key !== undefined && verify(null, signed, createPublicKey(key.public_key), Buffer.from(sig, 'base64'))
  })
  if (holding === undefined) return { fault: 'None of the trusted keys signed it.' }
  const statement = VersionStatement.safeParse(parse(payload))
  if (!statement.success) return { fault: 'What was signed is no statement about a version.' }
  const { tenant } = keys.find(({ id }) => id === holding.keyid)!
  const claimed = statement.data.predicate.tenant
  if (tenant !== undefined && tenant !== claimed)
    return { fault: `Key ${holding.keyid} is not one of tenant ${claimed}.` }
  const subject = `sha256:${statement.data.subject[0]!.digest.sha256}`
  if (subject !== digest) return { fault: `It was signed for the package ${subject}; the files here are ${digest}.` }
  return { statement: statement.data, key: holding.keyid }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return null
  }
}
