import type { IssuerConfig } from '../access/oidc-config.ts'

/** How clients reach this server, and who else vouches for them. */
export interface Site {
  /** Where the world finds it, as `https://host`; null: nobody said, so only addresses lead to it. */
  readonly publicUrl: string | null
  /** Where it listens, as `http://host:port`. */
  listening(): string
  /** Of the software. */
  readonly version: string
  /** Whose tokens are taken besides keys. */
  readonly issuers: readonly Pick<IssuerConfig, 'issuer' | 'role'>[]
}

/** What the operator named is not the URL of a server. */
export class PublicUrlError extends Error {
  readonly fix = 'Name the scheme and the host alone, such as https://skills.example.com.'
}

/** @throws PublicUrlError */
export function publicUrlOf(text: string): string {
  const url = URL.parse(text)
  const plain = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  if (!plain || url.pathname !== '/' || /[?#]/.test(text)) {
    throw new PublicUrlError(`The public URL "${text}" is not the origin of a server.`)
  }
  return url.origin
}
