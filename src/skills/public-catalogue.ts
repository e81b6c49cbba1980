import type { CatalogueStore } from '../backends/catalogue-ports.ts'
import type { CatalogueEntry } from '../model/catalogue.ts'
import { notFound } from '../model/errors.ts'
import { AGENT_STAGE } from '../model/skills.ts'

/** What tenants show to everybody: those whose audience operators set to `public`. */
export interface PublicCatalogue {
  /** All of it, tenant by tenant. Of two skills with one name the older tenant's counts. */
  list(): AsyncGenerator<readonly CatalogueEntry[], void>
  /** @throws SkilletError not_found */
  find(name: string): Promise<CatalogueEntry>
}

/** Entries read at a time. */
const STEP = 200

export function createPublicCatalogue(parts: {
  store: Pick<CatalogueStore, 'served' | 'findServed' | 'providers'>
}): PublicCatalogue {
  const { store } = parts

  async function tenants(): Promise<string[]> {
    return (await store.providers()).filter(({ audience }) => audience === 'public').map(({ id }) => id)
  }

  /** The first of the tenants that serves it. */
  async function first(among: readonly string[], name: string): Promise<CatalogueEntry | null> {
    for (const tenant of among) {
      const found = await store.findServed(tenant, AGENT_STAGE, name)
      if (found !== null) return found
    }
    return null
  }

  return {
    async *list() {
      const all = await tenants()
      for (const [at, tenant] of all.entries()) {
        let cursor: string | undefined
        do {
          const page = await store.served(tenant, AGENT_STAGE, { limit: STEP, cursor })
          const older = all.slice(0, at)
          const hidden = await Promise.all(page.items.map(async ({ name }) => (await first(older, name)) !== null))
          yield page.items.filter((_, index) => !hidden[index])
          cursor = page.next ?? undefined
        } while (cursor !== undefined)
      }
    },

    async find(name) {
      const found = await first(await tenants(), name)
      if (found === null) throw notFound('skill', name)
      return found
    },
  }
}
