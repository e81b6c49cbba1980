import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { Role } from '../model/access.ts'

/** Signatures that only the holder of a private key can make. What a public key suffices for (HS…), or nothing ("none"), is not among them. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** A claim by its name, or by the path to it where objects nest. */
const Claim = z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(8)])
export type Claim = z.infer<typeof Claim>

const Issuer = z.strictObject({
  name: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'must be small letters, digits and single dashes'),
  issuer: z.string().refine(isIssuer, 'must be an https URL without query (http only to this machine itself)'),
  audience: z.string().min(1),
  algorithms: z
    .array(
      z.enum(ALGORITHMS, {
        error: ({ input }) => `${JSON.stringify(input)} is refused; ${ALGORITHMS.join(', ')} are not`,
      }),
    )
    .min(1)
    .default(['RS256', 'PS256', 'ES256', 'EdDSA']),
  clock_skew_s: z.number().int().min(0).max(300).default(60),
  tenant: z.union([
    z.strictObject({ claim: Claim, map: z.record(z.string(), z.string().min(1)).optional() }),
    z.strictObject({ value: z.string().min(1) }),
  ]),
  role: z.strictObject({ claim: Claim, map: z.record(z.string(), Role), default: Role.optional() }),
})

/** One issuer whose tokens are accepted, and what its claims mean here. */
export type IssuerConfig = z.infer<typeof Issuer>

const Config = z.strictObject({
  issuers: z
    .array(Issuer)
    .min(1)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'must have names of their own')
    .refine(
      (all) => new Set(all.map(({ issuer, audience }) => `${issuer} ${audience}`)).size === all.length,
      'must differ in issuer or audience',
    ),
})

/** The file of issuers cannot be used as it is. */
export class OidcConfigError extends Error {
  readonly fix = 'Mend the file of SKILLET_OIDC as docs/oidc.md describes it, or start without it; keys need none.'

  constructor(file: string, why: string, cause?: unknown) {
    super(`The issuers of tokens cannot be read from ${file}: ${why}`, { cause })
    this.name = 'OidcConfigError'
  }
}

/** @throws OidcConfigError that names every place that is wrong. */
export async function readOidcFile(file: string): Promise<readonly IssuerConfig[]> {
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new OidcConfigError(file, (error as Error).message, error)
  }
  const { data, error } = Config.safeParse(content)
  if (data !== undefined) return data.issuers
  throw new OidcConfigError(
    file,
    error.issues.map(({ path, message }) => `${z.core.toDotPath(path)}: ${message}`).join('; '),
  )
}

/** Whether keys may be fetched from there: over TLS, or without leaving this machine. */
export function isTrustworthy(url: URL): boolean {
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)
}

function isIssuer(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && isTrustworthy(url) && url.username === '' && url.password === '' && !/[?#]/.test(text)
}
