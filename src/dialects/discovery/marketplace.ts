import { z } from 'zod'
import { type AnyCall, type Route, route } from '../../http/route.ts'
import type { Reply } from '../../http/reply.ts'
import type { Services } from '../../http/services.ts'
import type { Caller } from '../../model/access.ts'
import type { CatalogueEntry } from '../../model/catalogue.ts'
import { notFound } from '../../model/errors.ts'
import { AGENT_STAGE } from '../../model/skills.ts'
import { archiveOf, archivesOf } from './artifacts.ts'
import { type Builds, createBuilds } from './builds.ts'
import { LINK_BASE, LINK_DIALECT } from './link-dialect.ts'
import { archiveReply, changingReply } from './replies.ts'
import { type Shelf, callerShelf, linkShelf } from './shelf.ts'

type Parts = Pick<Services, 'skills' | 'files' | 'signing' | 'site' | 'tenants'>

/** As Claude Code reads it (plugin-marketplaces, in its documentation). */
const Marketplace = z
  .object({
    name: z.string(),
    owner: z.object({ name: z.string() }),
    description: z.string(),
    plugins: z.array(
      z.object({
        name: z.string(),
        description: z.string(),
        version: z.string(),
        displayName: z.string().optional(),
        license: z.string().optional(),
        source: z.object({ source: z.literal('archive'), url: z.string(), sha256: z.string() }),
      }),
    ),
  })
  .meta({ id: 'ClaudeMarketplace' })
type Plugin = z.infer<typeof Marketplace>['plugins'][number]

const ZIP = { 200: { description: 'The zip.', also: { 'application/zip': z.string() } } }

/** A private marketplace of Claude Code: each skill is a plugin, in an archive with a pinned digest. With a key, or through a link. */
export function marketplaceRoutes(services: Parts): Route[] {
  const builds = createBuilds()
  const byLink = (call: AnyCall): Shelf => linkShelf(services, call.caller!, call.coverage)
  const linked = {
    tag: 'dialects',
    method: 'GET',
    access: 'discovery.read',
    dialect: LINK_DIALECT,
    responses: {},
    errors: [],
  } as const
  const list = (id: string, path: string): Route => ({
    ...linked,
    id,
    path: LINK_BASE + path,
    summary: 'The marketplace',
    handle: (call) => marketplace(services, builds, call, call.caller!, byLink(call)),
  })
  return [
    list('linkMarketplace', '/.claude-plugin/marketplace.json'),
    list('linkShortMarketplace', '/marketplace.json'),
    {
      ...linked,
      id: 'linkPlugin',
      path: `${LINK_BASE}/plugins/{skill}/{archive}`,
      summary: 'A plugin of it',
      handle: (call) => plugin(services, call, byLink(call), call.params as { skill: string; archive: string }),
    },
    route({
      id: 'getMarketplace',
      tag: 'dialects',
      method: 'GET',
      path: '/marketplace.json',
      access: 'discovery.read',
      summary: 'The skills that the caller finds, as a marketplace of Claude Code',
      description: 'Claude Code sends the `headers` of such a source to archives of the same origin, too.',
      responses: { 200: { description: 'The marketplace.', schema: Marketplace } },
      errors: [],
      handle: (call) =>
        marketplace(services, builds, call as AnyCall, call.caller, callerShelf(services, call.caller, call.coverage)),
    }),
    route({
      id: 'getPlugin',
      tag: 'dialects',
      method: 'GET',
      path: '/plugins/{skill}/{archive}',
      access: 'discovery.read',
      summary: 'A skill as a plugin of Claude Code',
      description: '`{archive}` is the SHA-256 of the zip and `.zip`, as the marketplace says.',
      responses: ZIP,
      errors: [],
      handle: (call) =>
        plugin(services, call as AnyCall, callerShelf(services, call.caller, call.coverage), call.params),
    }),
  ]
}

async function marketplace(
  services: Parts,
  builds: Builds,
  call: AnyCall,
  caller: Caller,
  shelf: Shelf,
): Promise<Reply> {
  const { origin, pathname } = call.url()
  const base = `${services.site.publicUrl ?? origin}${caller.link === undefined ? '' : /^\/t\/[^/]+/.exec(pathname)![0]}`
  const content = await builds.of(`${base} ${shelf.key}`, call.signal(), () => contentOf(services, caller, shelf, base))
  return changingReply(call, shelf, content, 'application/json')
}

async function contentOf(services: Parts, { tenant: id, link }: Caller, shelf: Shelf, base: string): Promise<string> {
  const tenant = await services.tenants.find(id)
  const stage = link?.stage ?? AGENT_STAGE
  const plugins: Plugin[] = []
  for await (const entries of shelf.list()) {
    const archives = await archivesOf(services, entries, 'plugin')
    for (const entry of entries) plugins.push(toPlugin(entry, base, archives.get(entry.digest)!.sha256))
  }
  return JSON.stringify({
    // Names that begin otherwise may be reserved.
    name: `skillet-${tenant.name}${stage === AGENT_STAGE ? '' : `-${stage}`}`,
    owner: { name: tenant.name },
    description: `Skills of ${tenant.name}`,
    plugins,
  } satisfies z.infer<typeof Marketplace>)
}

function toPlugin(entry: CatalogueEntry, base: string, sha256: string): Plugin {
  const { name, description, version, display_name: displayName, frontmatter } = entry
  const license = frontmatter?.['license']
  return {
    name,
    description,
    version,
    ...(displayName !== null && { displayName }),
    ...(typeof license === 'string' && { license }),
    source: { source: 'archive', url: `${base}/plugins/${name}/${sha256}.zip`, sha256 },
  }
}

async function plugin(
  services: Parts,
  call: AnyCall,
  shelf: Shelf,
  { skill, archive: file }: { readonly skill: string; readonly archive: string },
): Promise<Reply> {
  const entry = await shelf.find(skill)
  const archive = await archiveOf(services, entry, 'plugin')
  if (file !== `${archive.sha256}.zip`) throw notFound('file', `${skill}/${file}`)
  return archiveReply(call, shelf, services, entry, archive)
}
