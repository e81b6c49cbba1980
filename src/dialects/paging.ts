import type { Page, PageOptions } from '../model/page.ts'

/** As many as a page of ours holds. */
const MOST = 200

/**
 * A page of any length out of pages of ours, of what is kept of them. Only a page behind which something more comes names a next one:
 * some clients take a page of nothing for the end.
 */
export async function gather<T>(
  fetch: (page: PageOptions) => Promise<Page<T>>,
  { limit, cursor }: PageOptions,
  keep: (item: T) => boolean = () => true,
): Promise<Page<T>> {
  const items: T[] = []
  let at = cursor
  while (items.length < limit) {
    const page = await fetch({ limit: Math.min(MOST, limit - items.length), cursor: at })
    items.push(...page.items.filter(keep))
    if (page.next === null) return { items, next: null }
    at = page.next
  }
  return { items, next: (await hasMore(fetch, at, keep)) ? at! : null }
}

async function hasMore<T>(
  fetch: (page: PageOptions) => Promise<Page<T>>,
  cursor: string | undefined,
  keep: (item: T) => boolean,
): Promise<boolean> {
  for (let at = cursor; ;) {
    const page = await fetch({ limit: MOST, cursor: at })
    if (page.items.some(keep)) return true
    if (page.next === null) return false
    at = page.next
  }
}
