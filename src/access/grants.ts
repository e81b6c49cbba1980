import type { AccessStore } from '../backends/access-ports.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Engine } from '../backends/ports.ts'
import type { Caller, Grant } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import type { Authorizer } from './authorize.ts'
import { futureInstant } from './expiry.ts'
import { isInForce } from './keys.ts'
import { namedSkills } from './named-skills.ts'

export interface GrantRequest {
  /** Id of a key, or `oidc:<issuer name>:<subject>`. */
  readonly principal: string
  /** Ids or names, or `["*"]`. */
  readonly allowed_skills: readonly string[]
  /** Null: all. */
  readonly stages: readonly string[] | null
  readonly expires_at: string | null
}

export interface GrantsService {
  /** @throws SkilletError principal_unknown, skill_unknown, bad_request */
  create(caller: Caller, request: GrantRequest): Promise<Grant>
  list(tenant: string, filter: PageOptions & { principal?: string | undefined }): Promise<Page<Grant>>
  /** @throws SkilletError not_found */
  find(tenant: string, id: string): Promise<Grant>
  /** @throws SkilletError not_found */
  remove(caller: Caller, id: string): Promise<void>
}

export function createGrantsService(parts: {
  engine: Pick<Engine, 'access' | 'skills'>
  authorizer: Pick<Authorizer, 'forget'>
}): GrantsService {
  const { engine, authorizer } = parts
  const { access } = engine

  async function find(tenant: string, id: string): Promise<Grant> {
    const grant = await access.findGrant(tenant, id)
    if (grant === null) throw notFound('grant', id)
    return grant
  }

  return {
    async create(caller, request) {
      await requirePrincipal(access, caller.tenant, request.principal)
      const grant: Grant = {
        id: newId('grant'),
        tenant: caller.tenant,
        principal: request.principal,
        allowed_skills: await namedSkills(engine, caller.tenant, request.allowed_skills, '/allowed_skills'),
        stages: request.stages === null ? null : [...new Set(request.stages)].toSorted(),
        expires_at: futureInstant(request.expires_at),
        created_by: caller.id,
        created_at: now(),
      }
      const { principal, allowed_skills, stages, expires_at } = grant
      const detail = { principal, allowed_skills, stages, expires_at }
      await access.createGrant(grant, noteOf(caller, 'grant.create', { kind: 'grant', id: grant.id }, detail))
      authorizer.forget(principal)
      return grant
    },

    list: (tenant, filter) => access.listGrants(tenant, filter),
    find,

    async remove(caller, id) {
      const { principal } = await find(caller.tenant, id)
      const note = noteOf(caller, 'grant.delete', { kind: 'grant', id }, { principal })
      if (!(await access.deleteGrant(caller.tenant, id, note))) throw notFound('grant', id)
      authorizer.forget(principal)
    },
  }
}

/** Subjects are what an issuer says: up to 255 characters of ASCII. */
const SUBJECT = /^oidc:[a-z0-9]+(?:-[a-z0-9]+)*:[\x20-\x7e]{1,255}$/

async function requirePrincipal(access: AccessStore, tenant: string, principal: string): Promise<void> {
  if (SUBJECT.test(principal)) return
  const key = await access.findKeyById(tenant, principal)
  if (key === null || !isInForce(key)) {
    throw new SkilletError('principal_unknown', `There is no key "${principal}" in force.`, {
      problems: [{ pointer: '/principal', message: 'is no key of this tenant that is in force' }],
    })
  }
  if (key.role === 'owner') {
    throw new SkilletError('bad_request', `Key "${principal}" is an owner's and needs no grant.`, {
      problems: [{ pointer: '/principal', message: 'is an owner, who may use every skill' }],
    })
  }
}
