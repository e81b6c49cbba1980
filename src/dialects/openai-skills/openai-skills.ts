import type { Reply } from '../../http/reply.ts'
import type { Services } from '../../http/services.ts'
import { SkilletError } from '../../model/errors.ts'
import type { Version } from '../../model/skills.ts'
import type { AgentSkill } from '../../skills/agent-versions.ts'
import { zipReply } from '../content.ts'
import { gather } from '../paging.ts'
import { publishUpload } from '../publish-upload.ts'
import {
  limitOf,
  oneOf,
  requireLasting,
  requireOwn,
  SkillUpdate,
  type SkillApi,
  type SkillCall,
  viewOf,
} from '../skill-api.ts'
import { ownSkillId, ownVersionId } from '../skill-ids.ts'
import { receiveSkill, type UploadLimits } from '../skill-upload.ts'
import { OPENAI_DIALECT } from './openai-dialect.ts'
import { openaiList, openaiSkill, openaiSkillId, openaiVersion } from './openai-shapes.ts'

/** What that API takes. */
const MOST: UploadLimits = { files: 500, bytes: 50_000_000, fileBytes: 25_000_000 }
const MOST_LISTED = 100

/** The Skills API of OpenAI: the default version of a skill is the one that its stage `prod` serves. */
export function openaiSkillsApi(services: Pick<Services, 'skills' | 'files' | 'blobs' | 'signing'>): SkillApi {
  const { skills, blobs } = services
  const { agents, agentVersions, publishing } = skills

  const skillOf = (call: SkillCall): Promise<AgentSkill> =>
    agentVersions.skill(viewOf(call), ownSkillId(call.params['id']!))
  const versionOf = (call: SkillCall, skill: AgentSkill, name = call.params['version']!): Promise<Version> =>
    agentVersions.find(viewOf(call), skill, ownVersionId(name))

  async function tell(skill: AgentSkill, version: Version): Promise<Reply> {
    return ok(openaiVersion(skill, version, await agentVersions.summary(version)))
  }

  return {
    dialect: OPENAI_DIALECT,
    handlers: {
      async createSkill(call) {
        const upload = await receiveSkill(call, blobs, MOST)
        const request = { upload, skill: null, serve: true, signal: call.signal() }
        const { skill } = await publishUpload(skills, call.caller, request)
        return ok(openaiSkill(await agentVersions.skill(viewOf(call), skill.id)))
      },

      async listSkills(call) {
        const query = call.url().searchParams
        const oldestFirst = oneOf(query, 'order', ['asc', 'desc']) === 'asc'
        const after = query.get('after')
        const start = after ? (await agents.find(viewOf(call), ownSkillId(after))).skill : undefined
        const { items, next } = await gather(
          ({ cursor, ...page }) => agents.own(viewOf(call), { ...page, ...behind(cursor, start), oldestFirst }),
          { limit: limitOf(query, MOST_LISTED) },
          ({ skill_md }) => skill_md !== null,
        )
        return ok(
          openaiList(
            items.map((entry) => openaiSkill(agentVersions.of(entry))),
            next !== null,
          ),
        )
      },

      getSkill: async (call) => ok(openaiSkill(await skillOf(call))),

      async updateSkill(call) {
        const skill = await skillOf(call)
        requireOwn(skill)
        const version = await versionOf(call, skill, SkillUpdate.parse(call.body).default_version)
        await publishing.serve(call.caller, skill.id, version.id)
        return ok(openaiSkill(await skillOf(call)))
      },

      async deleteSkill(call) {
        const skill = await skillOf(call)
        requireOwn(skill)
        await skills.catalogue.remove(call.caller, skill.id)
        return ok({ id: openaiSkillId(skill), object: 'skill.deleted', deleted: true })
      },

      async getContent(call) {
        const skill = await skillOf(call)
        if (skill.served === null) {
          throw new SkilletError('not_found', `The skill "${call.params['id']}" has no default version.`)
        }
        return zipReply(services, skill, await versionOf(call, skill, skill.served.id))
      },

      async createVersion(call) {
        const skill = await skillOf(call)
        requireOwn(skill)
        const upload = await receiveSkill(call, blobs, MOST)
        const serve = isTrue(upload.fields.get('default'))
        const { version } = await publishUpload(skills, call.caller, { upload, skill, serve, signal: call.signal() })
        return tell(skill, version)
      },

      async listVersions(call) {
        const query = call.url().searchParams
        const oldestFirst = oneOf(query, 'order', ['asc', 'desc']) === 'asc'
        const skill = await skillOf(call)
        const after = query.get('after')
        const start = after ? (await versionOf(call, skill, after)).sequence : undefined
        const { items, next } = await gather(
          ({ cursor, ...page }) =>
            agentVersions.list(viewOf(call), skill, { ...page, ...behind(cursor, start), oldestFirst }),
          { limit: limitOf(query, MOST_LISTED) },
        )
        const data = []
        for (const version of items) data.push(openaiVersion(skill, version, await agentVersions.summary(version)))
        return ok(openaiList(data, next !== null))
      },

      async getVersion(call) {
        const skill = await skillOf(call)
        return tell(skill, await versionOf(call, skill))
      },

      async deleteVersion(call) {
        const skill = await skillOf(call)
        requireOwn(skill)
        const version = await versionOf(call, skill)
        requireLasting(version, call.params['version']!)
        const { id, sequence } = version
        await publishing.withdraw(call.caller, skill.id, id)
        const body = {
          id: openaiSkillId(skill),
          object: 'skill.version.deleted',
          deleted: true,
          version: String(sequence),
        }
        return ok(body)
      },

      async getVersionContent(call) {
        const skill = await skillOf(call)
        return zipReply(services, skill, await versionOf(call, skill))
      },
    },
  }
}

const ok = (body: object): Reply => ({ status: 200, body })

/** The first page begins behind what the client has seen, the others where the one before ended. */
const behind = <Key>(cursor: string | undefined, after: Key | undefined) =>
  cursor === undefined ? { after } : { cursor }

/** @throws SkilletError bad_request */
function isTrue(text: string | undefined): boolean {
  if (text === undefined || text === 'false') return false
  if (text === 'true') return true
  throw new SkilletError('bad_request', `"default" is "${text.slice(0, 20)}"; it must be "true" or "false".`)
}
