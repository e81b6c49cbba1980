import type { Services } from '../../http/services.ts'
import { SkilletError } from '../../model/errors.ts'
import { publishUpload } from '../publish-upload.ts'
import { gather } from '../paging.ts'
import { limitOf, oneOf, requireOwn, type SkillApi, type SkillCall, viewOf } from '../skill-api.ts'
import { receiveSkill, type UploadLimits } from '../skill-upload.ts'
import { CLAUDE_DIALECT, claudeAnswer } from './claude-dialect.ts'
import { createClaudeLookup } from './claude-lookup.ts'
import { claudeSkill, claudeSkillId, isBeta } from './claude-shapes.ts'
import { claudeVersions } from './claude-versions.ts'

/** What that API takes: 30 MB, uncompressed. */
const MOST: UploadLimits = { files: 500, bytes: 30_000_000, fileBytes: 30_000_000 }
const MOST_LISTED = 1000

/** The Claude Skills API, in the shape that it has now and in that of its beta. */
export function claudeSkillsApi(services: Pick<Services, 'skills' | 'files' | 'blobs' | 'signing'>): SkillApi {
  const { skills, blobs } = services
  const lookup = createClaudeLookup(skills)
  const receive = (call: SkillCall) => receiveSkill(call, blobs, MOST)

  return {
    dialect: CLAUDE_DIALECT,
    handlers: {
      async createSkill(call) {
        const upload = await receive(call)
        const displayName = labelOf(upload.fields.get('display_name') ?? upload.fields.get('display_title'))
        const request = {
          upload,
          skill: null,
          displayName,
          serve: true,
          profile: 'claude-api',
          signal: call.signal(),
        } as const
        const { skill } = await publishUpload(skills, call.caller, request)
        return claudeAnswer(call, claudeSkill(await skills.agentVersions.skill(viewOf(call), skill.id), isBeta(call)))
      },

      async listSkills(call) {
        const query = call.url().searchParams
        const limit = limitOf(query, MOST_LISTED)
        const source = oneOf(query, 'source', ['custom', 'anthropic'])
        const kind = source === null ? {} : ({ source: source === 'custom' ? 'own' : 'provided' } as const)
        const { items, next } = await gather(
          (page) => skills.agents.list(viewOf(call), { ...page, ...kind }),
          { limit, cursor: query.get('page') || undefined },
          ({ skill_md }) => skill_md !== null,
        )
        const data = items.map((entry) => claudeSkill(skills.agentVersions.of(entry), isBeta(call)))
        return claudeAnswer(call, { data, has_more: next !== null, next_page: next })
      },

      async getSkill(call) {
        return claudeAnswer(call, claudeSkill(await lookup.skill(call), isBeta(call)))
      },

      async deleteSkill(call) {
        const skill = await lookup.skill(call)
        requireOwn(skill)
        if (isBeta(call) && skill.latest !== null) {
          throw new SkilletError('bad_request', 'The skill has versions. Delete all of them before the skill.')
        }
        await skills.catalogue.remove(call.caller, skill.id)
        return claudeAnswer(call, { id: claudeSkillId(skill), type: 'skill_deleted' })
      },

      ...claudeVersions(services, lookup, receive),
    },
  }
}

/** @throws SkilletError bad_request */
function labelOf(text: string | undefined): string | null {
  if (text === undefined || text.trim() === '') return null
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (Array.from(text).length <= 255 && !/[\u0000-\u001f\u007f\u2028\u2029]/.test(text)) return text
  throw new SkilletError('bad_request', 'The display name must be one line of at most 255 characters.')
}
