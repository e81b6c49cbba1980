import { isListed } from './skill-entry.ts'
import type { Library } from './library.ts'

/** Where clients look that know an older draft of the extension. */
export const INDEX_URI = 'skill://index.json'

/** The list of the skills as the discovery index (version 0.2.0) writes it, with URIs that are read here. */
export async function indexJson({ read, uriOf }: Pick<Library, 'read' | 'uriOf'>): Promise<string> {
  const skills: object[] = []
  let cursor: string | undefined
  do {
    const page = await read(200, cursor)
    for (const entry of page.items.filter(isListed)) {
      skills.push({
        name: entry.name,
        type: 'skill-md',
        description: entry.description,
        url: await uriOf(entry),
        digest: `sha256:${entry.skill_md!.sha256}`,
      })
    }
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return JSON.stringify({ $schema: 'https://schemas.agentskills.io/discovery/0.2.0/schema.json', skills })
}
