import { z } from 'zod'
import { Link } from '../../model/links.ts'
import { AGENT_STAGE, Name } from '../../model/skills.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'
import { Expiry, Label } from './key-bodies.ts'

const NewLink = z.strictObject({
  name: Label.meta({ description: 'What it is for.' }),
  stage: Name.default(AGENT_STAGE).meta({ description: 'Whose versions are fetched through it. Default prod.' }),
  skills: z
    .array(z.string().min(1).max(100))
    .min(1)
    .max(1000)
    .default(['*'])
    .meta({ description: 'Ids or names of skills. Default `["*"]`: all, also later ones.' }),
  expires_at: Expiry,
})

/** The only answer that has the URL in it. */
const CreatedLink = Link.extend({
  token: z.string().meta({ description: 'What cannot be guessed of the URL. It is shown this once and kept nowhere.' }),
  url: z.string().meta({ description: 'Give it to a client that installs skills, such as `skills add <url>`.' }),
  marketplace_url: z.string().meta({ description: 'The same skills as a marketplace of Claude Code.' }),
}).meta({ id: 'CreatedLink' })

/** URLs through which skills are fetched without a key. */
export const linkRoutes = ({ links, site }: Pick<Services, 'links' | 'site'>): Route[] => [
  route({
    id: 'createLink',
    tag: 'access',
    method: 'POST',
    path: '/api/links',
    access: 'links.manage',
    summary: 'Make a URL through which skill files are fetched without a key',
    description: 'The URL is in this answer and nowhere else: whoever has it sees what it is for.',
    body: NewLink,
    responses: { 201: { description: 'Made.', schema: CreatedLink, headers: { Location: 'Where it is.' } } },
    errors: ['skill_unknown'],
    async handle({ caller, body }) {
      const link = await links.create(caller, body)
      const url = `${site.publicUrl ?? site.listening()}/t/${link.token}`
      const marketplace_url = `${url}/.claude-plugin/marketplace.json`
      return { status: 201, body: { ...link, url, marketplace_url }, headers: { location: `/api/links/${link.id}` } }
    },
  }),
  route({
    id: 'listLinks',
    tag: 'access',
    method: 'GET',
    path: '/api/links',
    access: 'links.manage',
    summary: 'List the links, newest first, revoked and expired ones too',
    query: PageQuery,
    responses: { 200: { description: 'One page.', schema: pageOf(Link) } },
    errors: [],
    handle: async ({ caller, query }) => ({ status: 200, body: await links.list(caller.tenant, query) }),
  }),
  route({
    id: 'getLink',
    tag: 'access',
    method: 'GET',
    path: '/api/links/{link}',
    access: 'links.manage',
    summary: 'Show a link',
    responses: { 200: { description: 'The link, without its URL.', schema: Link } },
    errors: [],
    handle: async ({ caller, params }) => ({ status: 200, body: await links.find(caller.tenant, params.link) }),
  }),
  route({
    id: 'revokeLink',
    tag: 'access',
    method: 'DELETE',
    path: '/api/links/{link}',
    access: 'links.manage',
    summary: 'Revoke a link',
    description:
      'Nothing is fetched through it any more, at once. Its record stays; revoking it again changes nothing.',
    responses: { 200: { description: 'The link as it is now.', schema: Link } },
    errors: [],
    handle: async ({ caller, params }) => ({ status: 200, body: await links.revoke(caller, params.link) }),
  }),
]
