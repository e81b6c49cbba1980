import type { Site } from '../../http/site.ts'

/** RFC 9728. */
export const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** Where the metadata lie of what the URL leads to. */
export const metadataUrl = (site: Pick<Site, 'publicUrl'>, { origin, pathname }: URL): string =>
  `${site.publicUrl ?? origin}${WELL_KNOWN}${pathname}`
