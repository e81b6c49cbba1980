import type { NewLink } from '../access/links.ts'
import type { Link } from '../model/links.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Http } from './http.ts'

/** With the URLs that only its maker sees. */
export type CreatedLink = NewLink & { readonly url: string; readonly marketplace_url: string }

/** URLs through which skills are fetched without a key. */
export function createLinkApi({ ok }: Http) {
  return {
    createLink: (body: Pick<Link, 'name' | 'stage' | 'skills' | 'expires_at'>): Promise<CreatedLink> =>
      ok('POST', '/api/links', { body }),
    listLinks: (query: PageOptions): Promise<Page<Link>> => ok('GET', '/api/links', { query: { ...query } }),
    revokeLink: (link: string): Promise<Link> => ok('DELETE', `/api/links/${encodeURIComponent(link)}`),
  }
}
