import type { Services } from '../../http/services.ts'
import { zipReply } from '../content.ts'
import { gather } from '../paging.ts'
import { publishUpload } from '../publish-upload.ts'
import { limitOf, requireLasting, requireOwn, type SkillApi, type SkillCall, viewOf } from '../skill-api.ts'
import type { SkillUpload } from '../skill-upload.ts'
import { versionId } from '../skill-ids.ts'
import { claudeAnswer, claudeReply } from './claude-dialect.ts'
import type { ClaudeLookup } from './claude-lookup.ts'
import { claudeVersion, isBeta, momentOf } from './claude-shapes.ts'

const MOST_LISTED = 1000

/** The part of that API below a skill. */
export function claudeVersions(
  services: Pick<Services, 'skills' | 'files' | 'signing'>,
  lookup: ClaudeLookup,
  receive: (call: SkillCall) => Promise<SkillUpload>,
): SkillApi['handlers'] {
  const { skills } = services
  const { agentVersions, publishing } = skills

  return {
    async createVersion(call) {
      const skill = await lookup.skill(call)
      requireOwn(skill)
      const upload = await receive(call)
      const request = { upload, skill, serve: true, profile: 'claude-api', signal: call.signal() } as const
      const { version } = await publishUpload(skills, call.caller, request)
      return claudeAnswer(call, claudeVersion(skill, version, await agentVersions.summary(version), isBeta(call)))
    },

    async listVersions(call) {
      const query = call.url().searchParams
      const skill = await lookup.skill(call)
      const page = { limit: limitOf(query, MOST_LISTED), cursor: query.get('page') || undefined }
      const { items, next } = await gather((one) => agentVersions.list(viewOf(call), skill, one), page)
      const data = []
      for (const version of items) {
        data.push(claudeVersion(skill, version, await agentVersions.summary(version), isBeta(call)))
      }
      return claudeAnswer(call, { data, has_more: next !== null, next_page: next })
    },

    async getVersion(call) {
      const skill = await lookup.skill(call)
      const version = await lookup.version(call, skill)
      return claudeAnswer(call, claudeVersion(skill, version, await agentVersions.summary(version), isBeta(call)))
    },

    async deleteVersion(call) {
      const skill = await lookup.skill(call)
      requireOwn(skill)
      const version = await lookup.version(call, skill)
      const name = call.params['version']!
      if (name !== momentOf(version)) requireLasting(version, name)
      await publishing.withdraw(call.caller, skill.id, version.id)
      const id = isBeta(call) ? momentOf(version) : versionId(version.id, 'skver_')
      return claudeAnswer(call, { id, type: 'skill_version_deleted' })
    },

    async getVersionContent(call) {
      const skill = await lookup.skill(call)
      const version = await lookup.version(call, skill)
      return claudeReply(call, await zipReply(services, skill, version))
    },
  }
}
