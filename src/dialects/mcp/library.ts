import type { Skill } from '@modelcontextprotocol/server/ext/skills'
import type { Services } from '../../http/services.ts'
import type { CatalogueEntry } from '../../model/catalogue.ts'
import { SkilletError } from '../../model/errors.ts'
import type { Package } from '../../model/packages.ts'
import type { Page } from '../../model/page.ts'
import { pageOfKept } from './pages.ts'
import { invalid } from './rpc-error.ts'
import { SKILL_MD, isListed, isSkill, skillEntry, whyNotServed } from './skill-entry.ts'
import { skillMeta } from './skill-meta.ts'
import { type SkillPlace, skillUri } from './skill-uri.ts'
import type { Visit } from './visit.ts'

/** The skills that somebody finds. */
export interface Library {
  /** Those with a SKILL.md, without their files. */
  list(cursor: string | undefined): Promise<{ items: CatalogueEntry[]; nextCursor?: string }>
  /** A page of any length. */
  read(limit: number, cursor: string | undefined): Promise<Page<CatalogueEntry>>
  /** The skill in the folder that the place lies in; null: none that the caller may see. */
  find(place: SkillPlace): Promise<{ entry: CatalogueEntry; source: Package } | null>
  /** As the extension tells it; null where clients could not take it. */
  describe(entry: CatalogueEntry): Promise<Skill | null>
  uriOf(entry: CatalogueEntry): Promise<string>
}

/** @throws SkilletError bad_request for a cursor that nobody gave out. */
export function openLibrary(services: Pick<Services, 'skills' | 'tenants' | 'signing'>, visit: Visit): Library {
  const { tenants, signing } = services
  const { agents } = services.skills
  const view = { tenant: visit.caller.tenant, coverage: visit.coverage, stage: visit.stage }
  const names = new Map<string, Promise<string>>()

  function nameOf(tenant: string): Promise<string> {
    const known = names.get(tenant) ?? tenants.find(tenant).then(({ name }) => name)
    names.set(tenant, known)
    return known
  }

  const read: Library['read'] = (limit, cursor) => agents.list(view, { limit, ...(cursor !== undefined && { cursor }) })

  return {
    read,
    list: (cursor) => pageOfKept(read, isListed, cursor),

    async find({ tenant, skill }) {
      const entry = await agents.find(view, skill).catch(nothingIfMissing)
      if (entry === null || entry.name !== skill || !isSkill(entry)) return null
      if ((await nameOf(entry.tenant)) !== tenant) return null
      const source = await agents.package(entry)
      const why = whyNotServed(entry, source)
      if (why !== null) throw invalid(`Skill "${skill}" is not served over MCP: ${why}.`)
      return { entry, source }
    },

    async describe(entry) {
      const [source, tenant] = await Promise.all([agents.package(entry), nameOf(entry.tenant)])
      if (whyNotServed(entry, source) !== null) return null
      return skillEntry(entry, source, tenant, await skillMeta(signing, entry, source))
    },

    uriOf: async ({ tenant, name }) => skillUri({ tenant: await nameOf(tenant), skill: name, path: SKILL_MD }),
  }
}

function nothingIfMissing(error: unknown): null {
  if (error instanceof SkilletError && error.code === 'not_found') return null
  throw error
}
