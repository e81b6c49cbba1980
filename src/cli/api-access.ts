import type { NewApiKey } from '../access/key-service.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { AnyRole, ApiKey, Grant, Tenant } from '../model/access.ts'
import type { Http } from './http.ts'

/** Calls about tenants, keys and grants. */
export function createAccessApi({ ok }: Http) {
  return {
    createTenant: (body: {
      name: string
      zone?: string | undefined
    }): Promise<{ tenant: Tenant; owner_key: NewApiKey }> => ok('POST', '/api/tenants', { body }),
    listTenants: (query: PageOptions): Promise<Page<Tenant>> => ok('GET', '/api/tenants', { query: { ...query } }),
    findTenant: (tenant: string): Promise<Tenant> => ok('GET', tenantPath(tenant)),
    updateTenant: (
      tenant: string,
      body: { suspended: boolean } | { zone: string } | { retention_days: number },
    ): Promise<Tenant> => ok('PATCH', tenantPath(tenant), { body }),
    createTenantKey: (tenant: string, body: { name: string; expires_at: string | null }): Promise<NewApiKey> =>
      ok('POST', `${tenantPath(tenant)}/keys`, { body }),

    createKey: (body: { role: AnyRole; name: string; expires_at: string | null }): Promise<NewApiKey> =>
      ok('POST', '/api/keys', { body }),
    listKeys: (query: PageOptions): Promise<Page<ApiKey>> => ok('GET', '/api/keys', { query: { ...query } }),
    revokeKey: (key: string): Promise<ApiKey> => ok('DELETE', `/api/keys/${encodeURIComponent(key)}`),

    createGrant: (body: Pick<Grant, 'principal' | 'allowed_skills' | 'stages' | 'expires_at'>): Promise<Grant> =>
      ok('POST', '/api/grants', { body }),
    listGrants: (query: PageOptions & { principal?: string | undefined }): Promise<Page<Grant>> =>
      ok('GET', '/api/grants', { query: { ...query } }),
    deleteGrant: (grant: string): Promise<void> => ok('DELETE', `/api/grants/${encodeURIComponent(grant)}`),
  }
}

const tenantPath = (tenant: string): string => `/api/tenants/${encodeURIComponent(tenant)}`
