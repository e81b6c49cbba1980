import { z } from 'zod'
import type { Operation } from '../access/permissions.ts'
import { type AnyCall, type Dialect, type Route, route } from '../http/route.ts'
import type { Reply } from '../http/reply.ts'
import type { Caller } from '../model/access.ts'
import { SkilletError } from '../model/errors.ts'
import type { Version } from '../model/skills.ts'
import type { CatalogueView } from '../skills/agent-catalogue.ts'
import { ownVersionId } from './skill-ids.ts'

/** A request by somebody who was let in. */
export type SkillCall = Omit<AnyCall, 'caller'> & { readonly caller: Caller }

/** One of the APIs that share the paths below /v1/skills. */
export interface SkillApi {
  readonly dialect: Dialect
  readonly handlers: Readonly<Partial<Record<SkillOperation, (call: SkillCall) => Promise<Reply>>>>
}

export type SkillOperation = keyof typeof OPERATIONS

const SKILL = '/v1/skills/{id}'
const VERSION = '/v1/skills/{id}/versions/{version}'

/**
 * Method, path, and what the caller must be allowed to do. The parameters are no `skill` to whoever authorizes: they hold the ids of a
 * dialect, and what comes with the server needs no grant.
 */
const OPERATIONS = {
  createSkill: ['POST', '/v1/skills', 'stages.deploy'],
  listSkills: ['GET', '/v1/skills', 'catalogue.read'],
  getSkill: ['GET', SKILL, 'catalogue.read'],
  updateSkill: ['POST', SKILL, 'stages.deploy'],
  deleteSkill: ['DELETE', SKILL, 'skills.write'],
  getContent: ['GET', `${SKILL}/content`, 'catalogue.read'],
  createVersion: ['POST', `${SKILL}/versions`, 'stages.deploy'],
  listVersions: ['GET', `${SKILL}/versions`, 'catalogue.read'],
  getVersion: ['GET', VERSION, 'catalogue.read'],
  deleteVersion: ['DELETE', VERSION, 'versions.withdraw'],
  getVersionContent: ['GET', `${VERSION}/content`, 'catalogue.read'],
} as const satisfies Record<string, readonly [Route['method'], string, Operation]>

/** The headers that every client of Claude's API sends some of, and no other client does. */
const CLAUDE = ['anthropic-version', 'anthropic-beta', 'x-api-key']

/** Both APIs have the same paths: headers tell who is asking. */
export function skillApiRoutes(apis: { readonly claude: SkillApi; readonly openai: SkillApi }): Route[] {
  const of = (header: (name: string) => string | undefined): SkillApi =>
    CLAUDE.some((name) => header(name) !== undefined) ? apis.claude : apis.openai
  const dialect: Dialect = {
    authorization: (header) => of(header).dialect.authorization(header),
    failure: (error, request, headers) => of(request.header).dialect.failure(error, request, headers),
  }
  const names = Object.keys(OPERATIONS) as SkillOperation[]
  return names.map((operation) => {
    const [method, path, access] = OPERATIONS[operation]
    return route({
      id: `dialect${operation.charAt(0).toUpperCase()}${operation.slice(1)}`,
      tag: 'dialects',
      method,
      path,
      access,
      dialect,
      summary: 'Part of the Claude Skills API, or of that of OpenAI',
      ...(operation === 'updateSkill' && { body: SkillUpdate }),
      responses: {},
      errors: [],
      handle(call) {
        const { dialect: spoken, handlers } = of(call.header)
        const handler = handlers[operation]
        if (handler !== undefined) return handler(call)
        const url = call.url()
        const error = new SkilletError(
          'method_not_allowed',
          `${method} is not served at ${url.pathname.slice(0, 200)}.`,
        )
        const served = names.filter((name) => OPERATIONS[name][1] === path && handlers[name] !== undefined)
        const methods: string[] = served.map((name) => OPERATIONS[name][0])
        const allow = (methods.includes('GET') ? [...methods, 'HEAD'] : methods).join(', ')
        return spoken.failure(error, { id: call.from.request_id, header: call.header, url }, { allow })
      },
    })
  })
}

/** Only OpenAI has it. */
export const SkillUpdate = z.object({ default_version: z.string().min(1).max(100) })

/** What the caller may see. */
export const viewOf = ({ caller, coverage }: SkillCall): CatalogueView => ({ tenant: caller.tenant, coverage })

/** What every list takes. @throws SkilletError bad_request */
export function limitOf(query: URLSearchParams, most: number): number {
  const text = query.get('limit')
  if (text === null) return 20
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= most) return limit
  throw new SkilletError(
    'bad_request',
    `The limit is "${text.slice(0, 20)}"; it must be a whole number from 1 to ${most}.`,
  )
}

/** @throws SkilletError bad_request */
export function oneOf<const T extends string>(query: URLSearchParams, name: string, values: readonly T[]): T | null {
  const text = query.get(name)
  const found = values.find((value) => value === text)
  if (text === null || text === '') return null
  if (found !== undefined) return found
  throw new SkilletError('bad_request', `"${name}" is "${text.slice(0, 40)}"; it must be one of: ${values.join(', ')}.`)
}

/**
 * A version is deleted by a name that is its own for ever: a client that asks again because no answer came would delete what `latest`, or a
 * stage, leads to by then.
 * @throws SkilletError bad_request
 */
export function requireLasting({ id, version, sequence }: Version, name: string): void {
  const own = ownVersionId(name)
  if (own === id || own === version || (/^\d+$/.test(own) && Number(own) === sequence)) return
  throw new SkilletError(
    'bad_request',
    `"${name}" is another version afterwards. Name this one by its id, its number, or as "${sequence}".`,
  )
}

/** What comes with the server is everybody's: nobody changes it here. @throws SkilletError forbidden */
export function requireOwn(skill: { readonly name: string; readonly provided: boolean }): void {
  if (!skill.provided) return
  throw new SkilletError('forbidden', `The skill "${skill.name}" comes with the server and cannot be changed.`)
}
