import type { CatalogueStore, Order } from '../backends/catalogue-ports.ts'
import type { Engine } from '../backends/ports.ts'
import type { CatalogueEntry, PackageSummary, VersionRef } from '../model/catalogue.ts'
import { covers } from '../model/coverage.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import type { Page, PageOptions } from '../model/page.ts'
import { AGENT_STAGE, type Skill, type Version } from '../model/skills.ts'
import type { AgentCatalogue, CatalogueView } from './agent-catalogue.ts'
import { exactVersion, namedVersion } from './version-names.ts'

/** A skill with a SKILL.md, for those who take its files. */
export interface AgentSkill extends Omit<Skill, 'description'> {
  readonly description: string
  /** It comes with the server: nobody may change it here. */
  readonly provided: boolean
  /** What stage `prod` serves; null: nothing. */
  readonly served: VersionRef | null
  /** Null: all its versions were withdrawn. */
  readonly latest: VersionRef | null
}

/**
 * Skills and their versions by whatever agents call them. Whoever may not see a skill with all its stages sees one version: the served one.
 */
export interface AgentVersions {
  of(entry: CatalogueEntry): AgentSkill
  /**
   * By id or name: what a catalogue lists, and own ones that serve nothing now.
   * @throws SkilletError not_found, also for those that have no SKILL.md
   */
  skill(view: CatalogueView, idOrName: string): Promise<AgentSkill>
  /** By when they were made. @param page.after A sequence: instead of a cursor. */
  list(view: CatalogueView, skill: AgentSkill, page: PageOptions & Order<number>): Promise<Page<Version>>
  /** @param name `latest`, an id, a semver, a sequence, or the name of a stage that serves it. @throws SkilletError not_found */
  find(view: CatalogueView, skill: AgentSkill, name: string): Promise<Version>
  /** What its package says. */
  summary(version: Pick<Version, 'tenant' | 'digest'>): Promise<PackageSummary>
}

export function createAgentVersions(parts: {
  engine: {
    skills: Pick<Engine['skills'], 'findSkill' | 'findStage' | 'findVersion' | 'findDeployment'>
    catalogue: CatalogueStore
  }
  agents: Pick<AgentCatalogue, 'find'>
}): AgentVersions {
  const { engine, agents } = parts
  const { catalogue } = engine

  async function summary({ tenant, digest }: Pick<Version, 'tenant' | 'digest'>): Promise<PackageSummary> {
    const found = await catalogue.summary(tenant, digest)
    if (found === null) throw new Error(`The package ${digest} is referred to and missing.`)
    return found
  }

  async function served(view: CatalogueView, idOrName: string): Promise<CatalogueEntry | null> {
    try {
      return await agents.find(view, idOrName)
    } catch (error) {
      if (error instanceof SkilletError && error.code === 'not_found') return null
      throw error
    }
  }

  /** One of the tenant that serves nothing. */
  async function idle({ tenant, coverage }: CatalogueView, idOrName: string): Promise<AgentSkill | null> {
    const skill = await engine.skills.findSkill(tenant, idOrName)
    if (skill === null || !covers(coverage, skill.id, null)) return null
    if ((await catalogue.findServed(tenant, AGENT_STAGE, skill.id)) !== null) return null
    const [latest = null] = (await catalogue.versions(tenant, skill.id, { limit: 1 })).items
    if (latest !== null && (await summary(latest)).skill_md === null) return null
    return { ...skill, provided: false, served: null, latest }
  }

  async function named(skill: AgentSkill, name: string, whole: boolean): Promise<Version | null> {
    if (name === 'latest') return skill.latest === null ? null : exactVersion(engine, skill, skill.latest.id)
    return whole || name === AGENT_STAGE ? namedVersion(engine, skill, name) : exactVersion(engine, skill, name)
  }

  const find: AgentVersions['find'] = async (view, skill, name) => {
    const whole = isWhole(view, skill)
    const version = await named(skill, name, whole)
    if (version === null || !(whole || version.id === skill.served?.id)) {
      throw notFound('version', `${skill.name}@${name}`)
    }
    return version
  }

  return {
    of: toAgentSkill,

    async skill(view, idOrName) {
      const entry = await served(view, idOrName)
      const skill = entry === null ? await idle(view, idOrName) : entry.skill_md === null ? null : toAgentSkill(entry)
      if (skill === null) throw notFound('skill', idOrName)
      return skill
    },

    async list(view, skill, page) {
      if (isWhole(view, skill)) return catalogue.versions(skill.tenant, skill.id, page)
      const only = skill.served === null ? [] : [await find(view, skill, skill.served.id)]
      return { items: page.cursor === undefined && page.after === undefined ? only : [], next: null }
    },

    find,
    summary,
  }
}

const isWhole = ({ tenant, coverage }: CatalogueView, skill: AgentSkill): boolean =>
  skill.tenant === tenant && covers(coverage, skill.id, null)

function toAgentSkill(entry: CatalogueEntry): AgentSkill {
  const { skill: id, tenant, name, display_name, description, created_at, updated_at, provided, served, latest } = entry
  return { id, tenant, name, display_name, description, created_at, updated_at, provided, served, latest }
}
