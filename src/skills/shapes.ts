import { z } from 'zod'
import { AnyJson, AnyObject } from '../model/json.ts'
import { Package, PackageFile } from '../model/packages.ts'
import { ChangeLevel, Name, Version } from '../model/skills.ts'

/** One difference between two packages' schemas, and how large a change it is for callers. */
export const SchemaChange = z
  .object({
    path: z.string().meta({ description: '`/input` or `/output`, then the JSON pointer of the place in the schema.' }),
    what: z.string(),
    level: ChangeLevel,
  })
  .meta({ id: 'SchemaChange' })
export type SchemaChange = z.infer<typeof SchemaChange>

const Revision = z.number().int().optional().meta({
  description: 'Only if the stage has this revision. Default: the revision when the call arrives.',
})

export const DeployRequest = z
  .strictObject({
    change_level: ChangeLevel.meta({ description: 'Confirms how large the change is for callers of the stage.' }),
    version: z.string().max(64).optional().meta({ description: 'major.minor.patch, higher than the last one.' }),
    bump: ChangeLevel.optional().meta({ description: 'Instead of `version`: which part of the last version goes up.' }),
    revision: Revision,
  })
  .refine(({ version, bump }) => version === undefined || bump === undefined, {
    message: 'Give either version or bump',
    path: ['bump'],
  })
  .meta({ id: 'DeployRequest' })
export type DeployRequest = z.infer<typeof DeployRequest>

export const RollbackRequest = z
  .strictObject({
    deployment: z.string().max(64).optional().meta({ description: 'A deployment that this stage served before.' }),
    version: z
      .string()
      .max(64)
      .optional()
      .meta({ description: 'Instead: the last deployment of this version, by any of its names.' }),
    revision: Revision,
  })
  .meta({ id: 'RollbackRequest' })
export type RollbackRequest = z.infer<typeof RollbackRequest>

export const ServeRequest = z
  .strictObject({
    version: z
      .string()
      .min(1)
      .max(100)
      .meta({ description: 'Number, id, `latest`, or the name of a stage that serves it.' }),
    revision: Revision,
  })
  .meta({ id: 'ServeRequest' })

export const PromoteRequest = z
  .strictObject({
    to: Name.meta({ description: 'The stage that serves it too from now on; made when it is missing.' }),
    revision: Revision,
  })
  .meta({ id: 'PromoteRequest' })
export type PromoteRequest = z.infer<typeof PromoteRequest>

/** What a deploy to the stage would do now, for the owner to confirm. */
export const DeployProposal = z
  .object({
    digest: z.string(),
    upload: z
      .string()
      .nullable()
      .meta({ description: 'Null: the package that is served already, with the configuration as it is now.' }),
    version: z.string().meta({ description: 'The version it gets unless another one is asked for.' }),
    named: z.boolean().meta({ description: 'The package has that version already, which cannot be changed.' }),
    change_level: ChangeLevel.meta({ description: 'The smallest that may be confirmed.' }),
    changes: z.array(SchemaChange),
    replaces: z.object({ deployment: z.string(), version: z.string() }).nullable(),
    revision: z.number().int(),
  })
  .meta({ id: 'DeployProposal' })
export type DeployProposal = z.infer<typeof DeployProposal>

/** A version with what its package says. */
export const VersionDetail = z
  .object({
    ...Version.shape,
    package: Package.pick({
      format: true,
      name: true,
      description: true,
      input_schema: true,
      output_schema: true,
      handler: true,
      runtime: true,
      defaults: true,
      skill_md: true,
    }),
  })
  .meta({ id: 'VersionDetail' })
export type VersionDetail = z.infer<typeof VersionDetail>

const Schemas = z.object({ input_schema: AnyObject, output_schema: AnyObject.nullable() })

const Difference = z.object({ key: z.string(), from: AnyJson.optional(), to: AnyJson.optional() })
export type Difference = z.infer<typeof Difference>

export const VersionDiff = z
  .object({
    from: Version,
    to: Version,
    files: z.object({
      added: z.array(PackageFile),
      removed: z.array(PackageFile),
      changed: z.array(z.object({ path: z.string(), from: PackageFile, to: PackageFile })),
    }),
    frontmatter: z
      .array(Difference)
      .meta({ description: 'Of SKILL.md, by key; a side that does not have the key is left out.' }),
    permissions: z.array(Difference).meta({
      description: 'What the package asks for: network, size, time, runtime, scripts that can be run, tools.',
    }),
    schemas: z.object({ from: Schemas, to: Schemas }),
    change_level: ChangeLevel,
    changes: z.array(SchemaChange),
  })
  .meta({ id: 'VersionDiff' })
export type VersionDiff = z.infer<typeof VersionDiff>
