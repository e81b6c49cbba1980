import type { Authenticator } from '../access/authenticate.ts'
import type { Authorizer } from '../access/authorize.ts'
import type { Coverage } from '../model/coverage.ts'
import type { Operation } from '../access/permissions.ts'
import type { Caller } from '../model/access.ts'
import type { ErrorCode } from '../model/error-catalogue.ts'
import { SkilletError } from '../model/errors.ts'

/** What a caller was let in with. */
export interface Admittance {
  readonly authorization: string | undefined
  readonly caller: Caller
  readonly operation: Operation
  readonly params: Readonly<Record<string, string>>
  readonly coverage: Coverage | null
}

/**
 * Asks again what was asked when the request came, for answers that take hours.
 * @returns Whether it would be let in now just as it was then. What it throws says nothing about that.
 */
export function recheckOf(
  {
    identify,
    authorizer,
  }: { identify: Pick<Authenticator, 'authenticate'>; authorizer: Pick<Authorizer, 'authorize'> },
  { authorization, caller, operation, params, coverage }: Admittance,
): () => Promise<boolean> {
  const before = JSON.stringify(coverage)
  return async () => {
    try {
      const { id, tenant, role } = await identify.authenticate(authorization)
      const now = await authorizer.authorize({ ...caller, role }, operation, params)
      return id === caller.id && tenant === caller.tenant && JSON.stringify(now) === before
    } catch (error) {
      if (error instanceof SkilletError && REFUSALS.has(error.code)) return false
      throw error
    }
  }
}

const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'unauthenticated',
  'tenant_suspended',
  'forbidden',
  'not_granted',
  'not_found',
])
