import { SKILL_LIMITS, type Skill } from '@modelcontextprotocol/server/ext/skills'
import type { CatalogueEntry } from '../../model/catalogue.ts'
import type { Package, PackageFile } from '../../model/packages.ts'
import { skillUri } from './skill-uri.ts'

/** The name under which every skill's first file is served; some authors write it small. */
export const SKILL_MD = 'SKILL.md'

/** A skill as the extension lists it: its frontmatter verbatim, and all of its files with the digests that they are stored under. */
export function skillEntry(entry: CatalogueEntry, source: Package, tenant: string, meta: Skill['_meta']): Skill {
  const uriOf = (path: string): string => skillUri({ tenant, skill: entry.name, path })
  return {
    uri: uriOf(SKILL_MD),
    frontmatter: entry.frontmatter as Skill['frontmatter'],
    resources: source.files.map((file) => ({
      uri: uriOf(servedPath(file, source)),
      digest: `sha256:${file.sha256}`,
      size: file.size,
    })),
    _meta: meta,
  }
}

/** The path under which a file is served. */
export function servedPath({ path }: PackageFile, { files }: Package): string {
  return path === 'skill.md' && !files.some((one) => one.path === SKILL_MD) ? SKILL_MD : path
}

/** Only what has a SKILL.md is a skill here; the rest are tools. */
export const isSkill = ({ frontmatter, skill_md }: CatalogueEntry): boolean => frontmatter !== null && skill_md !== null

/** Whether it is listed, as far as that is known without its files. */
export const isListed = (entry: CatalogueEntry): boolean => isSkill(entry) && entry.files <= SKILL_LIMITS.files

/** Why no client is sure to take the skill, so that it is not served (SEP-2640); null: it is. */
export function whyNotServed({ name, frontmatter }: CatalogueEntry, { files }: Package): string | null {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  if (files.length > SKILL_LIMITS.files) return `it has ${files.length} files; at most ${SKILL_LIMITS.files} are served`
  if (bytes > SKILL_LIMITS.bytes) return `its files have ${bytes} bytes; at most ${SKILL_LIMITS.bytes} are served`
  if (frontmatter?.['name'] !== name) return 'the name in its SKILL.md is another'
  const { description, compatibility, metadata } = frontmatter
  if (!isText(description, 1024)) return 'its description is not 1 to 1024 characters'
  if (compatibility !== undefined && !isText(compatibility, 500)) return 'its compatibility is not 1 to 500 characters'
  if (metadata !== undefined && !isTexts(metadata)) return 'its metadata are not texts only'
  return null
}

const isText = (value: unknown, most: number): boolean =>
  typeof value === 'string' && value !== '' && (value.length <= most || Array.from(value).length <= most)

const isTexts = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((one) => typeof one === 'string')
