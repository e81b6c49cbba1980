import type { AuditNote } from '../model/audit.ts'
import type { CatalogueEntry, PackageSummary } from '../model/catalogue.ts'
import type { Package } from '../model/packages.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Tenant } from '../model/access.ts'
import type { Skill, Version } from '../model/skills.ts'

/** How the files lie in an archive: below one folder with the package's name, at its root, or as a plugin of Claude Code that has this one skill. */
export type ArchiveLayout = 'folder' | 'root' | 'plugin'

/** An archive that was made of a package: a blob. */
export interface ArchiveBlob {
  readonly sha256: string
  readonly size: number
}

export interface Order<Key> {
  /** Default: newest first. */
  readonly oldestFirst?: boolean | undefined
  /** The page begins behind this one. */
  readonly after?: Key | undefined
}

/** Versions that come and go without a stage, and what agents find: each verb one transaction. */
export interface CatalogueStore {
  /**
   * Keeps the package as a version of the skill, which is made if no skill has its id. A package that is a version of it already stays that
   * version: `made` is false then.
   * @throws SkilletError name_taken for a new skill, version_taken, not_found when a known skill is gone
   */
  publish(change: {
    readonly skill: Skill
    readonly create: boolean
    readonly package: Package
    readonly version: Omit<Version, 'sequence'>
    readonly note: AuditNote
  }): Promise<{ readonly version: Version; readonly made: boolean }>
  /**
   * The version is gone, for ever: neither its number nor its sequence are given again. A stage `prod` that serves it serves nothing
   * afterwards. Null: there is no such version.
   * @throws SkilletError version_in_use when another stage serves it
   */
  withdraw(tenant: string, skill: string, version: string, note: AuditNote): Promise<{ retired: string | null } | null>
  /** @throws SkilletError version_in_use when a stage other than AGENT_STAGE serves it */
  requireWithdrawable(version: Pick<Version, 'skill' | 'version' | 'digest'>): Promise<void>
  versionAt(tenant: string, skill: string, sequence: number): Promise<Version | null>
  /**
   * By when they were made.
   * @param page.after A sequence: instead of a cursor.
   */
  versions(tenant: string, skill: string, page: PageOptions & Order<number>): Promise<Page<Version>>
  /** What a package says of itself; null: there is none. */
  summary(tenant: string, digest: string): Promise<PackageSummary | null>
  /** The highest semver that the skill has or had; null: none. */
  highest(skill: string): Promise<string | null>

  /**
   * What the stages of that name serve, by when the skill was made.
   * @param page.only Ids of skills; undefined: all.
   * @param page.after Id of a skill: instead of a cursor.
   */
  served(
    tenant: string,
    stage: string,
    page: PageOptions & Order<string> & { only?: readonly string[] | undefined },
  ): Promise<Page<CatalogueEntry>>
  findServed(tenant: string, stage: string, skillIdOrName: string): Promise<CatalogueEntry | null>
  /** Tenants whose skills others see, oldest first. */
  providers(): Promise<Tenant[]>

  findArchive(tenant: string, digest: string, layout: ArchiveLayout): Promise<ArchiveBlob | null>
  /** Of many packages, by their digests; those that were not made are missing. */
  findArchives(tenant: string, digests: readonly string[], layout: ArchiveLayout): Promise<Map<string, ArchiveBlob>>
  /** As long as the package is kept, so is the blob. */
  keepArchive(tenant: string, digest: string, layout: ArchiveLayout, archive: ArchiveBlob): Promise<void>
}
