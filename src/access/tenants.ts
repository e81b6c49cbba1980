import type { AccessStore } from '../backends/access-ports.ts'
import type { Page, PageOptions } from '../model/page.ts'
import { type Audience, type Caller, OPERATOR_TENANT, RETENTION_DAYS, type Tenant } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import { requireZone } from '../model/zones.ts'
import type { Authenticator } from './authenticate.ts'
import { type NewApiKey, makeKey } from './key-service.ts'

/** For operators. Nothing that belongs to a tenant can be seen from here. */
export interface TenantsService {
  /** The tenant and its first owner key, which is in this answer and nowhere else. @throws SkilletError name_taken, name_reserved, zone_unknown, one_tenant_only */
  create(caller: Caller, tenant: { name: string; zone: string }): Promise<{ tenant: Tenant; owner_key: NewApiKey }>
  list(page: PageOptions): Promise<Page<Tenant>>
  /** @throws SkilletError not_found */
  find(idOrName: string): Promise<Tenant>
  /** What is suspended is refused from now on. @throws SkilletError not_found, zone_unknown */
  update(
    caller: Caller,
    idOrName: string,
    change: {
      suspended?: boolean | undefined
      zone?: string | undefined
      retention_days?: number | undefined
      audience?: Audience | undefined
    },
  ): Promise<Tenant>
}

export function createTenantsService(parts: {
  access: AccessStore
  auth: Pick<Authenticator, 'forgetTenant'>
  /** No tenant is made besides the one there is. Default false. */
  oneTenant?: boolean | undefined
}): TenantsService {
  const { access, auth, oneTenant = false } = parts

  async function find(idOrName: string): Promise<Tenant> {
    const tenant = await access.findTenant(idOrName)
    if (tenant === null) throw notFound('tenant', idOrName)
    return tenant
  }

  return {
    async create(caller, { name, zone: said }) {
      if (oneTenant)
        throw new SkilletError('one_tenant_only', 'This server isolates nothing: it has one tenant and gets no other.')
      if (name === OPERATOR_TENANT.name) throw new SkilletError('name_reserved', `No tenant can be named "${name}".`)
      const zone = requireZone(said)
      const tenant: Tenant = {
        id: newId('tenant'),
        name,
        suspended: false,
        zone,
        retention_days: RETENTION_DAYS,
        audience: 'tenant',
        created_at: now(),
      }
      const { key, hash, shown } = makeKey(tenant.id, { role: 'owner', name: 'owner', expires_at: null }, caller.id)
      const note = noteOf(caller, 'tenant.create', { kind: 'tenant', id: tenant.id }, { name, key: key.id })
      await access.createTenant(tenant, key, hash, note)
      return { tenant, owner_key: shown }
    },

    list: (page) => access.listTenants(page),
    find,

    async update(caller, idOrName, { suspended, zone: said, retention_days, audience }) {
      const zone = said === undefined ? undefined : requireZone(said)
      const { id } = await find(idOrName)
      const change = {
        ...(suspended !== undefined && { suspended }),
        ...(zone !== undefined && { zone }),
        ...(retention_days !== undefined && { retention_days }),
        ...(audience !== undefined && { audience }),
      }
      const note = noteOf(caller, 'tenant.update', { kind: 'tenant', id }, change)
      const tenant = await access.updateTenant(id, change, note)
      auth.forgetTenant(id)
      if (tenant === null) throw notFound('tenant', idOrName)
      return tenant
    },
  }
}
