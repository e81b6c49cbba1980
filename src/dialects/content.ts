import type { Reply } from '../http/reply.ts'
import type { Services } from '../http/services.ts'
import { signatureHeaders } from '../http/signature-headers.ts'
import type { Version } from '../model/skills.ts'

/** A version's files as a zip with one folder at its top, which has the name in its SKILL.md, and its signature in a header. */
export async function zipReply(
  { skills, files, signing }: Pick<Services, 'skills' | 'files' | 'signing'>,
  { name }: { readonly name: string },
  version: Pick<Version, 'tenant' | 'version' | 'digest'>,
): Promise<Reply> {
  const source = await skills.agents.package(version)
  const archive = await files.archive(version.tenant, source, 'folder')
  return {
    status: 200,
    type: 'application/zip',
    stream: await files.open(archive),
    headers: {
      ...(await signatureHeaders(signing, { ...version, name })),
      'content-length': String(archive.size),
      'content-disposition': `attachment; filename="${name}.zip"`,
    },
  }
}
