import type { Page } from '../../model/page.ts'

/** How many entries a page of a list has at the most. */
export const PAGE = 50
/** How many are looked at for one page: where few are of the kind that is listed it ends early, and says where to go on. */
const LOOKED_AT = 1000

/** A page of what is kept of a list. @param read A page of at most so many; from the cursor on. */
export async function pageOfKept<T>(
  read: (limit: number, cursor: string | undefined) => Promise<Page<T>>,
  keep: (item: T) => boolean,
  cursor: string | undefined,
): Promise<{ items: T[]; nextCursor?: string }> {
  const items: T[] = []
  let at = cursor
  for (let seen = 0; seen < LOOKED_AT;) {
    const limit = PAGE - items.length
    const page = await read(limit, at)
    items.push(...page.items.filter(keep))
    seen += limit
    if (page.next === null) return { items }
    at = page.next
    if (items.length >= PAGE) break
  }
  return at === undefined ? { items } : { items, nextCursor: at }
}
