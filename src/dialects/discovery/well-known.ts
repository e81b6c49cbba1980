import type { Reply } from '../../http/reply.ts'
import type { AnyCall, Dialect, Route } from '../../http/route.ts'
import type { Services } from '../../http/services.ts'
import { type CatalogueEntry, isSkillMd } from '../../model/catalogue.ts'
import { notFound } from '../../model/errors.ts'
import { LIMITS } from '../../model/sizes.ts'
import { archiveOf } from './artifacts.ts'
import { createBuilds } from './builds.ts'
import { currentIndex, olderIndex } from './index-json.ts'
import { LINK_BASE, LINK_DIALECT, PUBLIC_DIALECT } from './link-dialect.ts'
import { archiveReply, changingReply, fileReply, lastingReply } from './replies.ts'
import { type Shelf, linkShelf, publicShelf } from './shelf.ts'

type Parts = Pick<Services, 'skills' | 'files' | 'signing'>
type Handler = (call: AnyCall, shelf: Shelf, params: Readonly<Record<string, string>>) => Promise<Reply>

/** Discovery by well-known URIs: through a link what it is for, at the root what is public. */
export function wellKnownRoutes(services: Parts): Route[] {
  return Object.entries(handlersOf(services)).flatMap(([path, { id, summary, handle }]) => [
    made(`link${id}`, `${LINK_BASE}${path}`, 'discovery.read', LINK_DIALECT, summary, (call) =>
      handle(call, linkShelf(services, call.caller!, call.coverage), call.params),
    ),
    made(`public${id}`, path, 'public', PUBLIC_DIALECT, summary, (call) =>
      handle(call, publicShelf(services), call.params),
    ),
  ])
}

const made = (
  id: string,
  path: string,
  access: 'discovery.read' | 'public',
  dialect: Dialect,
  summary: string,
  handle: (call: AnyCall) => Promise<Reply>,
): Route => ({
  id,
  tag: 'dialects',
  method: 'GET',
  path,
  access,
  dialect,
  summary,
  responses: {},
  errors: [],
  handle,
})

const CURRENT = '/.well-known/agent-skills'
const OLDER = '/.well-known/skills'
const INDEXES = { current: currentIndex, older: olderIndex }

function handlersOf(services: Parts): Readonly<Record<string, { id: string; summary: string; handle: Handler }>> {
  const builds = createBuilds()

  async function indexReply(...[call, shelf, { index }, kind]: [...Parameters<Handler>, keyof typeof INDEXES]) {
    if (index !== 'index.json') throw notFound('file', index!)
    const content = await builds.of(`${kind} ${shelf.key}`, call.signal(), () => INDEXES[kind](services, shelf))
    return changingReply(call, shelf, content, 'application/json')
  }

  async function answered(call: AnyCall, shelf: Shelf, entry: CatalogueEntry, path: string): Promise<Reply> {
    const type = isSkillMd(path) ? MARKDOWN : 'application/octet-stream'
    const { file, open } = await fileOf(services, entry, path)
    return fileReply(call, shelf, file, type, async () => ({ stream: await open() }))
  }

  return {
    // Parameters, as the fast router takes no fixed name beside one.
    [`${CURRENT}/{index}`]: {
      id: 'DiscoveryIndex',
      summary: 'Which skills there are, each with the digest of its artifact',
      handle: (call, shelf, params) => indexReply(call, shelf, params, 'current'),
    },
    [`${OLDER}/{index}`]: {
      id: 'OlderDiscoveryIndex',
      summary: 'The same for clients of version 0.1.0: each with its files',
      handle: (call, shelf, params) => indexReply(call, shelf, params, 'older'),
    },
    [`${CURRENT}/{skill}/{digest}/SKILL.md`]: {
      id: 'DiscoverySkillMd',
      summary: 'The SKILL.md with that digest',
      async handle(call, shelf, { skill, digest }) {
        const entry = await shelf.find(skill!)
        const { sha256, size } = entry.skill_md!
        if (sha256 !== digest) throw notFound('file', `${skill}/${digest}/SKILL.md`)
        return lastingReply(call, shelf, services, entry, { type: MARKDOWN, sha256, size }, async () => ({
          stream: await (await fileOf(services, entry, 'SKILL.md')).open(),
        }))
      },
    },
    [`${CURRENT}/{skill}/{file}`]: {
      id: 'DiscoveryArtifact',
      summary: 'The archive with that digest, or the SKILL.md as it is now',
      async handle(call, shelf, { skill, file }) {
        const entry = await shelf.find(skill!)
        if (file === 'SKILL.md') return answered(call, shelf, entry, file)
        const archive = await archiveOf(services, entry, 'root')
        if (file !== `${archive.sha256}.zip`) throw notFound('file', `${skill}/${file}`)
        return archiveReply(call, shelf, services, entry, archive)
      },
    },
    [`${OLDER}/{skill}/{path+}`]: {
      id: 'OlderDiscoveryFile',
      summary: 'A file of a skill as it is now',
      async handle(call, shelf, { skill, path }) {
        const entry = await shelf.find(skill!)
        return answered(call, shelf, entry, path!)
      },
    },
  }
}

const MARKDOWN = 'text/markdown; charset=utf-8'

/** @throws SkilletError not_found; when it is opened, file_too_large */
async function fileOf({ skills, files }: Parts, entry: CatalogueEntry, path: string) {
  const source = await skills.agents.package(entry)
  const real = path === 'SKILL.md' ? (source.files.find((one) => isSkillMd(one.path))?.path ?? path) : path
  const file = source.files.find((one) => one.path === real)
  if (file === undefined) throw notFound('file', `${entry.name}/${path.slice(0, LIMITS.pathChars)}`)
  return { file, open: () => files.stream(source, real) }
}
