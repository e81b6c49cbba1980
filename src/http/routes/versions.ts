import { z } from 'zod'
import { PackageFile } from '../../model/packages.ts'
import { Version } from '../../model/skills.ts'
import { VersionDetail, VersionDiff } from '../../skills/shapes.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const VersionName = z.string().min(1).max(100)

export const versionRoutes = ({ skills: { versions, publishing } }: Pick<Services, 'skills'>): Route[] => [
  route({
    id: 'listVersions',
    tag: 'versions',
    method: 'GET',
    path: '/api/skills/{skill}/versions',
    access: 'versions.read',
    summary: 'List the versions of a skill, highest first',
    query: PageQuery,
    responses: { 200: { description: 'One page.', schema: pageOf(Version) } },
    errors: [],
    handle: async ({ caller, params, query }) => ({
      status: 200,
      body: await versions.list(caller.tenant, params.skill, query),
    }),
  }),
  route({
    id: 'getVersion',
    tag: 'versions',
    method: 'GET',
    path: '/api/skills/{skill}/versions/{version}',
    access: 'versions.read',
    summary: 'Show a version and what its package says',
    responses: { 200: { description: 'The version.', schema: VersionDetail } },
    errors: [],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await versions.find(caller.tenant, params.skill, params.version),
    }),
  }),
  route({
    id: 'listVersionFiles',
    tag: 'versions',
    method: 'GET',
    path: '/api/skills/{skill}/versions/{version}/files',
    access: 'versions.read',
    summary: 'List the files of a version with their checksums',
    responses: { 200: { description: 'All of them.', schema: z.object({ items: z.array(PackageFile) }) } },
    errors: [],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: { items: await versions.files(caller.tenant, params.skill, params.version) },
    }),
  }),
  route({
    id: 'withdrawVersion',
    tag: 'versions',
    method: 'DELETE',
    path: '/api/skills/{skill}/versions/{version}',
    access: 'versions.withdraw',
    summary: 'Withdraw a version for ever',
    description:
      'By a name that is its own: not by `latest`, nor by that of a stage. Its number is never given again. Stage `prod`, if it serves the version, serves the newest that is left, or nothing.',
    responses: { 200: { description: 'What was withdrawn.', schema: Version } },
    errors: ['bad_request', 'version_in_use', 'stage_changed'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await publishing.withdraw(caller, params.skill, params.version),
    }),
  }),
  route({
    id: 'diffVersions',
    tag: 'versions',
    method: 'GET',
    path: '/api/skills/{skill}/diff',
    access: 'versions.read',
    summary: 'Compare two versions: files, schemas and the change level between them',
    query: z.strictObject({ from: VersionName, to: VersionName }),
    responses: { 200: { description: 'What changed.', schema: VersionDiff } },
    errors: [],
    handle: async ({ caller, params, query }) => ({
      status: 200,
      body: await versions.diff(caller.tenant, params.skill, query.from, query.to),
    }),
  }),
]
