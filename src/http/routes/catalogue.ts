import { z } from 'zod'
import { PROMPT_BEGIN, PROMPT_END, promptLines } from '../../model/available-skills.ts'
import { CatalogueEntry } from '../../model/catalogue.ts'
import { notFound } from '../../model/errors.ts'
import type { Page, PageOptions } from '../../model/page.ts'
import { PackageFile } from '../../model/packages.ts'
import { tokensOfBytes } from '../../model/tokens.ts'
import { LIMITS } from '../../model/sizes.ts'
import { Name } from '../../model/skills.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { rangeOf } from '../range.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const Stage = Name.optional().meta({ description: 'Default prod.' })
const StageQuery = z.strictObject({ stage: Stage })
const Source = z.enum(['own', 'provided']).optional().meta({
  description: "Only the tenant's own, or only what comes with the server. Default: both.",
})

/** Levels 1 and 2 of a skill, and what level 3 has. */
const CatalogueDetail = z
  .object({
    ...CatalogueEntry.shape,
    body: z
      .string()
      .nullable()
      .meta({ description: 'Level 2: SKILL.md below its frontmatter; null when there is none.' }),
    /** With about how many tokens a model reads each as. */
    contents: z.array(z.object({ ...PackageFile.shape, tokens: z.number().int() })),
  })
  .meta({ id: 'CatalogueDetail' })

/** Entries read at a time for a prompt. */
const STEP = 200

/** Progressive disclosure (seed 002, 1.3): names and descriptions, then instructions, then files. */
export const catalogueRoutes = ({ skills: { agents }, files }: Pick<Services, 'skills' | 'files'>): Route[] => [
  route({
    id: 'listCatalogue',
    tag: 'catalogue',
    method: 'GET',
    path: '/api/catalogue',
    access: 'catalogue.read',
    summary: 'List what agents find: level 1 of progressive disclosure',
    description: 'What a stage of each skill serves, and what comes with the server.',
    query: PageQuery.extend({ stage: Stage, source: Source }),
    responses: { 200: { description: 'One page.', schema: pageOf(CatalogueEntry) } },
    errors: [],
    handle: async ({ caller, coverage, query: { stage, source, ...page } }) => ({
      status: 200,
      body: await agents.list({ tenant: caller.tenant, coverage, stage }, { ...page, ...(source && { source }) }),
    }),
  }),
  route({
    id: 'getCataloguePrompt',
    tag: 'catalogue',
    method: 'GET',
    path: '/api/catalogue.xml',
    access: 'catalogue.read',
    summary: 'The whole of level 1 for a system prompt, as `<available_skills>`',
    query: z.strictObject({ stage: Stage, source: Source }),
    responses: { 200: { description: 'All of it.', also: { 'application/xml': z.string() } } },
    errors: [],
    handle({ caller, coverage, query: { stage, source }, signal }) {
      const view = { tenant: caller.tenant, coverage, stage }
      const text = promptOf((page) => agents.list(view, { ...page, ...(source && { source }) }), signal())
      return { status: 200, stream: ReadableStream.from(text), type: 'application/xml' }
    },
  }),
  route({
    id: 'getCatalogueEntry',
    tag: 'catalogue',
    method: 'GET',
    path: '/api/catalogue/{skill}',
    access: 'catalogue.read',
    summary: 'Open a skill: its instructions, level 2, and what files it has',
    query: StageQuery,
    responses: { 200: { description: 'The skill.', schema: CatalogueDetail } },
    errors: ['not_found'],
    async handle({ caller, coverage, params, query: { stage } }) {
      const entry = await agents.find({ tenant: caller.tenant, coverage, stage }, params.skill)
      const source = await agents.package(entry)
      const contents = source.files.map((file) => ({ ...file, tokens: tokensOfBytes(file.size) }))
      return { status: 200, body: { ...entry, body: source.skill_md?.body ?? null, contents } }
    },
  }),
  route({
    id: 'readCatalogueFile',
    tag: 'catalogue',
    method: 'GET',
    path: '/api/catalogue/{skill}/file',
    access: 'catalogue.read',
    summary: 'Read a file of a skill, or a range of it: level 3',
    query: StageQuery.extend({
      path: z.string().min(1).max(LIMITS.pathChars).meta({ description: 'As `contents` names it.' }),
    }),
    headers: {
      Range: 'bytes=FIRST-LAST, bytes=FIRST- or bytes=-COUNT: one range.',
      'If-Range': 'The ETag of what the range is of: all of it is sent if that is another file by now.',
    },
    responses: {
      200: { description: 'All of it.', also: { 'application/octet-stream': z.string() } },
      206: {
        description: 'The range.',
        also: { 'application/octet-stream': z.string() },
        headers: { 'Content-Range': 'Which bytes, of how many.' },
      },
    },
    errors: ['not_found', 'file_too_large', 'range_not_satisfiable'],
    async handle({ caller, coverage, params, query: { stage, path }, header, request }) {
      const entry = await agents.find({ tenant: caller.tenant, coverage, stage }, params.skill)
      const source = await agents.package(entry)
      const file = source.files.find((known) => known.path === path)
      if (file === undefined) throw notFound('file', path)
      const etag = `"${file.sha256}"`
      const range = rangeOf({ header, request }, { etag, size: file.size })
      const { start, end } = range ?? { start: 0, end: file.size }
      // What a stranger uploaded is never shown as a page of ours.
      const type = 'application/octet-stream'
      const headers = {
        etag,
        'accept-ranges': 'bytes',
        'content-type': type,
        'content-length': String(end - start),
        ...(range !== null && { 'content-range': `bytes ${start}-${end - 1}/${file.size}` }),
      }
      const status = range === null ? 200 : 206
      // Nothing is opened that nobody reads.
      if (request().method === 'HEAD') return { status, headers }
      return { status, type, headers, stream: await files.stream(source, path, range ?? undefined) }
    },
  }),
]

const bytes = (lines: readonly string[]): Uint8Array => Buffer.from(`${lines.join('\n')}\n`)

/** Page by page: a large catalogue is never in memory as a whole. */
async function* promptOf(
  read: (page: PageOptions) => Promise<Page<CatalogueEntry>>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  yield bytes([PROMPT_BEGIN])
  let cursor: string | undefined
  do {
    signal.throwIfAborted()
    const page = await read({ limit: STEP, cursor })
    if (page.items.length > 0) yield bytes(promptLines(page.items))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  yield bytes([PROMPT_END])
}
