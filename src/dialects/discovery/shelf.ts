import type { Services } from '../../http/services.ts'
import type { Caller } from '../../model/access.ts'
import type { CatalogueEntry } from '../../model/catalogue.ts'
import type { Coverage } from '../../model/coverage.ts'
import { notFound } from '../../model/errors.ts'
import type { Page } from '../../model/page.ts'

/** Skills that somebody may take as files. */
export interface Shelf {
  /** Of two shelves with the same one, everything is the same. */
  readonly key: string
  /** All that have a SKILL.md, page by page. */
  list(): AsyncGenerator<readonly CatalogueEntry[], void>
  /** @throws SkilletError not_found */
  find(name: string): Promise<CatalogueEntry>
  /** What may keep the answers: only the client that asked, or anybody on the way. */
  readonly caching: 'private' | 'public'
}

type Skills = Pick<Services, 'skills'>

/** What a link leads to: skills of its tenant that its stage serves. What comes with the server is not the tenant's to hand on. */
export function linkShelf({ skills: { agents } }: Skills, caller: Caller, coverage: Coverage | null): Shelf {
  const view = { tenant: caller.tenant, coverage, stage: caller.link?.stage }
  return {
    caching: 'private',
    key: JSON.stringify(['own', view]),
    list: () => pages((cursor) => agents.own(view, { limit: STEP, cursor })),
    async find(name) {
      const entry = withFiles(await agents.find(view, name))
      if (entry.tenant !== caller.tenant) throw notFound('skill', name)
      return entry
    },
  }
}

/** What somebody with a key finds. */
export function callerShelf({ skills: { agents } }: Skills, { tenant }: Caller, coverage: Coverage | null): Shelf {
  const view = { tenant, coverage }
  return {
    caching: 'private',
    key: JSON.stringify(['all', view]),
    list: () => pages((cursor) => agents.list(view, { limit: STEP, cursor })),
    find: async (name) => withFiles(await agents.find(view, name)),
  }
}

/** What everybody may have. */
export function publicShelf({ skills: { publicSkills } }: Skills): Shelf {
  return {
    caching: 'public',
    key: 'public',
    async *list() {
      for await (const entries of publicSkills.list()) yield entries.filter(hasFiles)
    },
    find: async (name) => withFiles(await publicSkills.find(name)),
  }
}

/** Entries read at a time. */
const STEP = 200

async function* pages(
  read: (cursor: string | undefined) => Promise<Page<CatalogueEntry>>,
): AsyncGenerator<readonly CatalogueEntry[], void> {
  let cursor: string | undefined
  do {
    const page = await read(cursor)
    yield page.items.filter(hasFiles)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
}

/** A function is a tool, and no file that an agent reads. */
const hasFiles = ({ skill_md }: CatalogueEntry): boolean => skill_md !== null

function withFiles(entry: CatalogueEntry): CatalogueEntry {
  if (!hasFiles(entry)) throw notFound('skill', entry.name)
  return entry
}
