import type { CatalogueEntry } from '../../model/catalogue.ts'
import type { Package } from '../../model/packages.ts'
import type { Signing } from '../../skills/signing.ts'

/** What we say in `_meta` besides what the protocol says, in reverse domain names, as it asks for. */
export const META = 'dev.skillet'

/** Which version it is, and the digest over all its files, as every dialect tells it. */
export const versionMeta = ({ version, digest }: Pick<CatalogueEntry, 'version' | 'digest'>) => ({
  [`${META}/version`]: version,
  [`${META}/digest`]: digest,
})

/**
 * What goes with a skill's entry: that, and the signature over the digest, which is made of contents, paths as they are stored, and of
 * which files are executable: for the last two the protocol has no words.
 */
export async function skillMeta(
  signing: Pick<Signing, 'sign'>,
  entry: Pick<CatalogueEntry, 'tenant' | 'name' | 'version' | 'digest'>,
  { files }: Pick<Package, 'files'>,
): Promise<Record<string, unknown>> {
  const { tenant, name, version, digest } = entry
  const isSmall = !files.some(({ path }) => path === 'SKILL.md')
  return {
    ...versionMeta(entry),
    [`${META}/executables`]: files.filter(({ executable }) => executable).map(({ path }) => path),
    ...(isSmall && { [`${META}/skill-md`]: 'skill.md' }),
    [`${META}/signature`]: await signing.sign({ tenant, name, version, digest }),
  }
}
