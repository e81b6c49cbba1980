import type { Secret, SecretKind } from '../model/secrets.ts'
import type { Page } from '../model/page.ts'
import type { Http } from './http.ts'

/** Calls about secrets. Values go into bodies and come back from nowhere. */
export function createSecretApi({ ok }: Http) {
  return {
    createSecret: (body: { name: string; kind: SecretKind; value: string }): Promise<Secret> =>
      ok('POST', '/api/secrets', { body }),
    listSecrets: (query: { limit: number; cursor?: string | undefined }): Promise<Page<Secret>> =>
      ok('GET', '/api/secrets', { query }),
    findSecret: (secret: string): Promise<Secret> => ok('GET', secretPath(secret)),
    updateSecret: (secret: string, value: string): Promise<Secret> =>
      ok('PUT', secretPath(secret), { body: { value } }),
    deleteSecret: (secret: string): Promise<void> => ok('DELETE', secretPath(secret)),
    rotateMasterKey: (): Promise<{ rewrapped: number }> => ok('POST', '/api/vault/rotate'),
  }
}

const secretPath = (secret: string): string => `/api/secrets/${encodeURIComponent(secret)}`
