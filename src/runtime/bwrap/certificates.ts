import { existsSync } from 'node:fs'

/** What a sandbox sees of the machine's trust in others, where the machine has it: Debian's places and Red Hat's. */
export const CERTIFICATE_PATHS = [
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/tls/certs',
  '/etc/pki/ca-trust/extracted',
]

/**
 * Variables by which programs with a network list trust what this machine trusts: Python's `requests` and `httpx` bring authorities of
 * their own, and so does Node; an operator's own is among the machine's only. Empty where the machine has no such file.
 */
export function certificateEnv(): Readonly<Record<string, string>> {
  made ??= forBundle(BUNDLES.find((path) => existsSync(path)))
  return made
}

let made: Readonly<Record<string, string>> | null = null

/** All authorities in one file: Debian, Alpine and Arch; Fedora and Red Hat. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt']

function forBundle(path: string | undefined): Readonly<Record<string, string>> {
  if (path === undefined) return {}
  return { SSL_CERT_FILE: path, REQUESTS_CA_BUNDLE: path, CURL_CA_BUNDLE: path, NODE_EXTRA_CA_CERTS: path }
}
