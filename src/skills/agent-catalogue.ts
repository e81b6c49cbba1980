import type { CatalogueStore, Order } from '../backends/catalogue-ports.ts'
import { type Coverage, covers, skillsOf } from '../model/coverage.ts'
import type { CatalogueEntry } from '../model/catalogue.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import type { Package } from '../model/packages.ts'
import type { Page, PageOptions } from '../model/page.ts'
import { AGENT_STAGE, type Deployment } from '../model/skills.ts'
import type { Lookup } from './lookup.ts'

/** Who asks, and for what of it. */
export interface CatalogueView {
  readonly tenant: string
  /** What of it may be seen; null: everything. */
  readonly coverage: Coverage | null
  /** Default AGENT_STAGE. What comes with the server is always served from there. */
  readonly stage?: string | undefined
}

export interface AgentCatalogue {
  /**
   * What the stage serves, newest skill first, then what comes with the server. A skill of the tenant hides one of the same name that
   * comes with the server.
   * @param options.source Only the tenant's own, or only what comes with the server. Default: both.
   */
  list(view: CatalogueView, options: PageOptions & { source?: 'own' | 'provided' }): Promise<Page<CatalogueEntry>>
  /**
   * The tenant's own.
   * @param page.after Id of a skill: instead of a cursor.
   */
  own(view: CatalogueView, page: PageOptions & Order<string>): Promise<Page<CatalogueEntry>>
  /** By id or name. What may not be seen is not there. @throws SkilletError not_found */
  find(view: CatalogueView, skillIdOrName: string): Promise<CatalogueEntry>
  /** Tenants whose skills come with the server, for this one. */
  providers(tenant: string): Promise<string[]>
  /** What its stage froze for it. */
  deployment(entry: Pick<CatalogueEntry, 'tenant' | 'deployment'>): Promise<Deployment>
  /** The package of an entry. */
  package(entry: Pick<CatalogueEntry, 'tenant' | 'digest'>): Promise<Package>
}

export function createAgentCatalogue(parts: {
  store: Pick<CatalogueStore, 'served' | 'findServed' | 'providers'>
  lookup: Pick<Lookup, 'package' | 'deployment'>
}): AgentCatalogue {
  const { store, lookup } = parts

  async function own(view: CatalogueView, page: PageOptions & Order<string>): Promise<Page<CatalogueEntry>> {
    const { tenant, coverage, stage = AGENT_STAGE } = view
    const found = await store.served(tenant, stage, { ...page, only: skillsOf(coverage) })
    return { ...found, items: found.items.filter((entry) => visible(view, entry)).map((entry) => shown(view, entry)) }
  }

  async function providers(tenant: string): Promise<string[]> {
    return (await store.providers()).map(({ id }) => id).filter((id) => id !== tenant)
  }

  async function provided(view: CatalogueView, from: string, page: PageOptions): Promise<Page<CatalogueEntry>> {
    const found = await store.served(from, AGENT_STAGE, page)
    const items: CatalogueEntry[] = []
    for (const entry of found.items) {
      const hidden = await store.findServed(view.tenant, view.stage ?? AGENT_STAGE, entry.name)
      if (hidden === null || !visible(view, hidden)) items.push(ofOthers(entry))
    }
    return { ...found, items }
  }

  return {
    async list(view, { source, ...page }) {
      const others = source === 'own' ? [] : await providers(view.tenant)
      const places: (string | null)[] = source === 'provided' ? others : [null, ...others]
      let { at, cursor } = whereOf(page.cursor, places)
      const items: CatalogueEntry[] = []
      while (at < places.length) {
        const place = places[at]!
        const rest = { limit: page.limit - items.length, cursor }
        const found = place === null ? await own(view, rest) : await provided(view, place, rest)
        items.push(...found.items)
        cursor = found.next ?? undefined
        if (found.next === null) at++
        if (items.length >= page.limit) break
      }
      const next = at < places.length ? cursorAt(places[at]!, cursor) : null
      return { items, next }
    },

    own,

    async find(view, skillIdOrName) {
      const mine = await store.findServed(view.tenant, view.stage ?? AGENT_STAGE, skillIdOrName)
      if (mine !== null && visible(view, mine)) return shown(view, mine)
      for (const tenant of await providers(view.tenant)) {
        const theirs = await store.findServed(tenant, AGENT_STAGE, skillIdOrName)
        if (theirs !== null) return ofOthers(theirs)
      }
      throw notFound('skill', skillIdOrName)
    },

    providers,
    deployment: ({ tenant, deployment }) => lookup.deployment(tenant, deployment),
    package: ({ tenant, digest }) => lookup.package(tenant, digest),
  }
}

/** Which versions there are besides is not for those whose grants are of single stages. */
const shown = ({ coverage }: CatalogueView, entry: CatalogueEntry): CatalogueEntry =>
  covers(coverage, entry.skill, null) ? entry : { ...entry, latest: entry.served }

const ofOthers = (entry: CatalogueEntry): CatalogueEntry => ({ ...entry, latest: entry.served, provided: true })

/** A place, null for the tenant itself, and how far it was read. */
function cursorAt(place: string | null, cursor: string | undefined): string {
  return Buffer.from(JSON.stringify([place, cursor ?? null])).toString('base64url')
}

function whereOf(
  cursor: string | undefined,
  places: readonly (string | null)[],
): { at: number; cursor: string | undefined } {
  if (cursor === undefined) return { at: 0, cursor: undefined }
  const [place, rest] = parse(cursor)
  const at = places.indexOf(place)
  // A provider that went meanwhile: what came after it is not known, so that is all.
  return at < 0 ? { at: places.length, cursor: undefined } : { at, cursor: rest ?? undefined }
}

const visible = ({ coverage, stage = AGENT_STAGE }: CatalogueView, entry: CatalogueEntry): boolean =>
  covers(coverage, entry.skill, stage)

const isPart = (value: unknown): value is string | null => value === null || typeof value === 'string'

function parse(cursor: string): [string | null, string | null] {
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = null
  }
  if (Array.isArray(value) && value.length === 2 && isPart(value[0]) && isPart(value[1])) return [value[0], value[1]]
  throw new SkilletError('bad_request', 'The cursor is not one that this server gave out.')
}
