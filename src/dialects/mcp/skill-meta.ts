import type { CatalogueEntry } from '../../model/catalogue.ts'

/** What we say in `_meta` besides what the protocol says, in reverse domain names, as it asks for. */
export const META = 'dev.skillet'

/** What goes with a skill's entry: which version it is, and the digest over all its files, as every dialect tells it. */
export const skillMeta = ({ version, digest }: CatalogueEntry): Record<string, unknown> => ({
  [`${META}/version`]: version,
  [`${META}/digest`]: digest,
})
