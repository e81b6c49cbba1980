import type { AccessStore } from '../backends/access-ports.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { AnyRole, ApiKey, Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import type { Authenticator } from './authenticate.ts'
import { futureInstant } from './expiry.ts'
import { newKey } from './keys.ts'

/** A key with what it is used by: shown when it is made, and never again. */
export type NewApiKey = ApiKey & { readonly key: string }

export interface KeyRequest {
  readonly role: AnyRole
  readonly name: string
  readonly expires_at: string | null
}

export interface KeyService {
  /** A key of the caller's tenant; operators make operators' keys alone. @throws SkilletError bad_request, also when it expires in the past */
  create(caller: Caller, request: KeyRequest): Promise<NewApiKey>
  /** An operator's way to help a tenant that lost its keys. @throws SkilletError not_found, bad_request */
  createOwner(caller: Caller, tenant: string, request: Omit<KeyRequest, 'role'>): Promise<NewApiKey>
  list(tenant: string, page: PageOptions): Promise<Page<ApiKey>>
  /** @throws SkilletError not_found */
  find(tenant: string, id: string): Promise<ApiKey>
  /** Takes effect at once, and takes the key's grants along. One that was revoked stays as it is. @throws SkilletError not_found */
  revoke(caller: Caller, id: string): Promise<ApiKey>
}

export function createKeyService(parts: { access: AccessStore; auth: Pick<Authenticator, 'forget'> }): KeyService {
  const { access, auth } = parts

  async function make(caller: Caller, tenant: string, request: KeyRequest): Promise<NewApiKey> {
    const { key, hash, shown } = makeKey(tenant, request, caller.id)
    const detail = { role: key.role, name: key.name, prefix: key.prefix, expires_at: key.expires_at }
    await access.createKey(key, hash, noteOf(caller, 'key.create', { kind: 'key', id: key.id }, detail))
    return shown
  }

  return {
    async create(caller, request) {
      if ((caller.role === 'operator') !== (request.role === 'operator')) {
        throw new SkilletError(
          'bad_request',
          `The role "${caller.role}" makes no keys with the role "${request.role}".`,
        )
      }
      return make(caller, caller.tenant, request)
    },

    async createOwner(caller, idOrName, request) {
      const tenant = await access.findTenant(idOrName)
      if (tenant === null) throw notFound('tenant', idOrName)
      return make(caller, tenant.id, { ...request, role: 'owner' })
    },

    list: (tenant, page) => access.listKeys(tenant, page),

    async find(tenant, id) {
      const key = await access.findKeyById(tenant, id)
      if (key === null) throw notFound('key', id)
      return key
    },

    async revoke(caller, id) {
      const note = noteOf(caller, 'key.revoke', { kind: 'key', id })
      const key = await access.revokeKey(caller.tenant, id, now(), note)
      if (key === null) throw notFound('key', id)
      auth.forget(id)
      return key
    },
  }
}

/** A new key: what is stored of it, its hash, and what its maker is shown. @throws SkilletError bad_request when it expires in the past */
export function makeKey(
  tenant: string,
  request: KeyRequest,
  by: string,
): { key: ApiKey; hash: string; shown: NewApiKey } {
  const fresh = newKey()
  const key: ApiKey = {
    id: newId('key'),
    tenant,
    role: request.role,
    name: request.name,
    prefix: fresh.prefix,
    created_by: by,
    created_at: now(),
    expires_at: futureInstant(request.expires_at),
    last_used_at: null,
    revoked_at: null,
  }
  return { key, hash: fresh.hash, shown: { ...key, key: fresh.key } }
}
