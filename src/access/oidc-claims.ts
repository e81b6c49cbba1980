import type { JWTPayload } from 'jose'
import type { AccessStore } from '../backends/access-ports.ts'
import { OPERATOR_TENANT, type Principal, Role, type Tenant } from '../model/access.ts'
import { refused, suspended } from './authenticate.ts'
import type { Claim, IssuerConfig } from './oidc-config.ts'

/**
 * Who the claims of a verified token speak of, and the name of the tenant.
 * @throws SkilletError unauthenticated, tenant_suspended
 */
export async function principalOfClaims(
  claims: JWTPayload,
  config: IssuerConfig,
  access: Pick<AccessStore, 'findTenant'>,
): Promise<{ principal: Principal; tenant: string }> {
  const { sub } = claims
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) {
    throw refused('The subject (sub) of the token is not 1 to 255 printable ASCII characters.')
  }
  const role = roleOf(claims, config)
  const tenant = await tenantOf(claims, config, access)
  return {
    principal: { kind: 'token', id: `oidc:${config.name}:${sub}`, tenant: tenant.id, role },
    tenant: tenant.name,
  }
}

/** As OpenID Connect says, and so that it can be written wherever ids of principals are. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/

/** The highest of those that the claim names. */
function roleOf(claims: JWTPayload, { role }: IssuerConfig): Role {
  const mapped = new Set(valuesOf(claims, role.claim).map((value) => own(role.map, value)))
  const found = Role.options.find((one) => mapped.has(one)) ?? role.default
  if (found === undefined)
    throw refused(`The token names no role: its claim ${nameOf(role.claim)} has none that is mapped.`)
  return found
}

async function tenantOf(
  claims: JWTPayload,
  { tenant }: IssuerConfig,
  access: Pick<AccessStore, 'findTenant'>,
): Promise<Tenant> {
  const named = 'value' in tenant ? tenant.value : namedTenant(claims, tenant)
  const found = await access.findTenant(named)
  // Operators have keys: no issuer's word makes one.
  if (found === null || found.id === OPERATOR_TENANT.id) throw refused('The tenant that the token names is not here.')
  if (found.suspended) throw suspended(found.name)
  return found
}

/** Of several it is not guessed which is meant. */
function namedTenant(
  claims: JWTPayload,
  { claim, map }: { claim: Claim; map?: Record<string, string> | undefined },
): string {
  const values = valuesOf(claims, claim)
  const named = new Set(map === undefined ? values : values.flatMap((value) => own(map, value) ?? []))
  if (named.size === 1) return [...named][0]!
  const many = named.size === 0 ? 'no tenant' : `${named.size} tenants`
  throw refused(`The token names ${many}: its claim ${nameOf(claim)} must name exactly one.`)
}

/** The strings of a claim that is a string or an array; none where it is missing or something else. */
function valuesOf(claims: JWTPayload, claim: Claim): string[] {
  let value: unknown = claims
  for (const name of typeof claim === 'string' ? [claim] : claim) {
    if (typeof value !== 'object' || value === null) return []
    value = own(value as Record<string, unknown>, name)
  }
  // OAuth writes scopes as one text.
  if (isScopes(claim) && typeof value === 'string') return value.split(' ').filter((one) => one !== '')
  return (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string')
}

/** Whether the claim holds what a client asked an authorization server for. */
export const isScopes = (claim: Claim): boolean => claim === 'scope' || claim === 'scp'

/** A token may well have a claim of the name "constructor". */
const own = <T>(from: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(from, name) ? from[name] : undefined

const nameOf = (claim: Claim): string => `"${typeof claim === 'string' ? claim : claim.join(' / ')}"`
