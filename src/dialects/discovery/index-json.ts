import type { Services } from '../../http/services.ts'
import { isSkillMd } from '../../model/catalogue.ts'
import type { CatalogueEntry } from '../../model/catalogue.ts'
import { archivesOf } from './artifacts.ts'
import type { Shelf } from './shelf.ts'

type Parts = Pick<Services, 'skills' | 'files'>

/** The index of version 0.2.0 of the discovery RFC: one artifact a skill, with its digest. Addresses are relative to the index. */
export async function currentIndex(parts: Parts, shelf: Shelf): Promise<string> {
  const lines: string[] = []
  for await (const entries of shelf.list()) {
    const archives = await archivesOf(parts, entries.filter(isMore), 'root')
    for (const entry of entries) {
      const { name, description } = entry
      const { sha256 } = isMore(entry) ? archives.get(entry.digest)! : entry.skill_md!
      const artifact = isMore(entry)
        ? { type: 'archive', description, url: `${name}/${sha256}.zip` }
        : { type: 'skill-md', description, url: `${name}/${sha256}/SKILL.md` }
      lines.push(JSON.stringify({ name, ...artifact, digest: `sha256:${sha256}` }))
    }
  }
  return `{"$schema":${JSON.stringify(SCHEMA)},"skills":[\n${lines.join(',\n')}\n]}\n`
}

/** The index of version 0.1.0, for older clients: files by their names, without digests. */
export async function olderIndex({ skills }: Parts, shelf: Shelf): Promise<string> {
  const lines: string[] = []
  for await (const entries of shelf.list()) {
    for (const entry of entries) {
      const { name, description } = entry
      const files = isMore(entry) ? (await skills.agents.package(entry)).files.map(({ path }) => path) : []
      const others = files.filter((path) => !isSkillMd(path))
      lines.push(JSON.stringify({ name, description, files: ['SKILL.md', ...others] }))
    }
  }
  return `{"skills":[\n${lines.join(',\n')}\n]}\n`
}

const SCHEMA = 'https://schemas.agentskills.io/discovery/0.2.0/schema.json'

/** More than a SKILL.md. */
const isMore = ({ files }: CatalogueEntry): boolean => files > 1
