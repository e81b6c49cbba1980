import type { ArchiveBlob, ArchiveLayout } from '../../backends/catalogue-ports.ts'
import type { Services } from '../../http/services.ts'
import type { CatalogueEntry } from '../../model/catalogue.ts'

/** How many archives are made at a time: packages that are uploaded meanwhile are read by the same threads. */
const AT_ONCE = 2

type Parts = Pick<Services, 'skills' | 'files'>

/** The archives of entries, by the digests of their packages. Those that were never made are made now, and kept. */
export async function archivesOf(
  { skills, files }: Parts,
  entries: readonly CatalogueEntry[],
  layout: ArchiveLayout,
): Promise<ReadonlyMap<string, ArchiveBlob>> {
  const archives = new Map<string, ArchiveBlob>()
  for (const [tenant, group] of Map.groupBy(entries, (entry) => entry.tenant)) {
    const digests = group.map(({ digest }) => digest)
    for (const [digest, archive] of await files.made(tenant, digests, layout)) archives.set(digest, archive)
  }
  const missing = entries.filter(({ digest }) => !archives.has(digest)).values()
  const make = async (): Promise<void> => {
    for (const entry of missing) archives.set(entry.digest, await archiveOf({ skills, files }, entry, layout))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, make))
  return archives
}

export async function archiveOf(
  { skills, files }: Parts,
  entry: CatalogueEntry,
  layout: ArchiveLayout,
): Promise<ArchiveBlob> {
  return files.archive(entry.tenant, await skills.agents.package(entry), layout)
}
