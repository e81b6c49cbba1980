import type { Engine } from '../backends/ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { notFound } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import type { Link } from '../model/links.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Authenticator } from './authenticate.ts'
import { futureInstant } from './expiry.ts'
import { newLinkToken } from './keys.ts'
import { namedSkills } from './named-skills.ts'

/** A link with what its URL has: shown when it is made, and never again. */
export type NewLink = Link & { readonly token: string }

export interface LinkRequest {
  readonly name: string
  readonly stage: string
  /** Ids or names, or `["*"]`. */
  readonly skills: readonly string[]
  readonly expires_at: string | null
}

export interface LinksService {
  /** @throws SkilletError skill_unknown, bad_request when it expires in the past */
  create(caller: Caller, request: LinkRequest): Promise<NewLink>
  list(tenant: string, page: PageOptions): Promise<Page<Link>>
  /** @throws SkilletError not_found */
  find(tenant: string, id: string): Promise<Link>
  /** Takes effect at once. One that was revoked stays as it is. @throws SkilletError not_found */
  revoke(caller: Caller, id: string): Promise<Link>
}

export function createLinksService(parts: {
  engine: Pick<Engine, 'links' | 'skills'>
  auth: Pick<Authenticator, 'forget'>
}): LinksService {
  const { engine, auth } = parts
  const { links } = engine

  return {
    async create(caller, { name, stage, skills, expires_at }) {
      const { key: token, hash, prefix } = newLinkToken()
      const link: Link = {
        id: newId('link'),
        tenant: caller.tenant,
        name,
        prefix,
        stage,
        skills: await namedSkills(engine, caller.tenant, skills, '/skills'),
        created_by: caller.id,
        created_at: now(),
        expires_at: futureInstant(expires_at),
        last_used_at: null,
        revoked_at: null,
      }
      const detail = { name, prefix, stage, skills: link.skills, expires_at: link.expires_at }
      await links.createLink(link, hash, noteOf(caller, 'link.create', { kind: 'link', id: link.id }, detail))
      return { ...link, token }
    },

    list: (tenant, page) => links.listLinks(tenant, page),

    async find(tenant, id) {
      const link = await links.findLink(tenant, id)
      if (link === null) throw notFound('link', id)
      return link
    },

    async revoke(caller, id) {
      const note = noteOf(caller, 'link.revoke', { kind: 'link', id })
      const link = await links.revokeLink(caller.tenant, id, now(), note)
      if (link === null) throw notFound('link', id)
      auth.forget(id)
      return link
    },
  }
}
