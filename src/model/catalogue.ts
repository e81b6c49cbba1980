import { z } from 'zod'
import { AnyObject, Instant } from './json.ts'
import type { Package } from './packages.ts'
import { Name } from './skills.ts'
import { estimateTokens, tokensOfBytes } from './tokens.ts'

/** What a catalogue says of a package, so that nobody reads whole packages to list them. */
export const PackageSummary = z
  .object({
    description: z.string(),
    kind: z.enum(['python', 'node', 'skill-md']).meta({ description: 'What calls it: a function, or its SKILL.md.' }),
    /** Of its SKILL.md, verbatim; null when it has none. */
    frontmatter: AnyObject.nullable(),
    skill_md: z.object({ sha256: z.string(), size: z.number().int() }).nullable(),
    files: z.number().int(),
    tokens: z
      .object({
        metadata: z.number().int().meta({ description: 'Level 1: name and description.' }),
        body: z.number().int().meta({ description: 'Level 2: what is below the frontmatter of SKILL.md.' }),
        files: z.number().int().meta({ description: 'Level 3: all other files.' }),
      })
      .meta({ description: 'About how many tokens a model reads each level as: estimates.' }),
  })
  .meta({ id: 'PackageSummary' })
export type PackageSummary = z.infer<typeof PackageSummary>

/** Which version of a skill is meant. */
export const VersionRef = z
  .object({ id: z.string(), version: z.string(), sequence: z.number().int(), created_at: Instant })
  .meta({ id: 'VersionRef' })
export type VersionRef = z.infer<typeof VersionRef>

/** Level 1 of progressive disclosure: one skill as agents find it. */
export const CatalogueEntry = z
  .object({
    skill: z.string(),
    /** Of the tenant whose skill it is. */
    tenant: z.string(),
    name: Name,
    display_name: z.string().nullable(),
    stage: Name,
    deployment: z.string(),
    version: z.string(),
    digest: z.string(),
    served: VersionRef.meta({ description: 'What the stage serves.' }),
    latest: VersionRef.meta({
      description: 'The version that was made last; what is served, for those who may not see all versions.',
    }),
    created_at: Instant.meta({ description: 'When the skill was made.' }),
    /** When the stage began to serve it. */
    updated_at: Instant,
    /** It comes with the server: another tenant's that operators provide to all. */
    provided: z.boolean(),
    ...PackageSummary.shape,
  })
  .meta({ id: 'CatalogueEntry' })
export type CatalogueEntry = z.infer<typeof CatalogueEntry>

/** The file that agents read first, among the files of a package. Some write its name small. */
export const isSkillMd = (path: string): boolean => path === 'SKILL.md' || path === 'skill.md'

export function summaryOf(source: Package): PackageSummary {
  const file = source.files.find(({ path }) => isSkillMd(path))
  const rest = source.files.reduce((bytes, { path, size }) => bytes + (isSkillMd(path) ? 0 : size), 0)
  return {
    description: source.description,
    kind: source.handler.kind,
    frontmatter: source.skill_md?.frontmatter ?? null,
    skill_md: file === undefined || source.skill_md === null ? null : { sha256: file.sha256, size: file.size },
    files: source.files.length,
    tokens: {
      metadata: estimateTokens(`${source.name}: ${source.description}`),
      // A body may have a megabyte: its pieces are not counted where everybody waits.
      body: tokensOfBytes(Buffer.byteLength(source.skill_md?.body ?? '')),
      files: tokensOfBytes(rest),
    },
  }
}
