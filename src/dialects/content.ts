import type { Reply } from '../http/reply.ts'
import type { Services } from '../http/services.ts'
import type { Version } from '../model/skills.ts'

/** A version's files as a zip with one folder at its top, which has the skill's name. */
export async function zipReply(
  { skills, files }: Pick<Services, 'skills' | 'files'>,
  { name }: { readonly name: string },
  version: Pick<Version, 'tenant' | 'digest'>,
): Promise<Reply> {
  const source = await skills.agents.package(version)
  const archive = await files.archive(version.tenant, source, name, 'folder')
  return {
    status: 200,
    type: 'application/zip',
    stream: await files.open(archive),
    headers: {
      'content-length': String(archive.size),
      'content-disposition': `attachment; filename="${name}.zip"`,
    },
  }
}
