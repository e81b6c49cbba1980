import { z } from 'zod'
import { AnyObject, Instant } from './json.ts'
import { SIZES } from './sizes.ts'

/** One thing the validator found. All findings of a package are reported at once, never only the first. */
export const Finding = z
  .object({
    /** Stable id of the rule, such as `zip.traversal`, `python.eval`, `manifest.name`. The catalogue is packages/rules.ts. */
    rule: z.string(),
    severity: z.enum(['deny', 'warn']),
    message: z.string(),
    file: z.string().nullable(),
    line: z.number().int().nullable(),
    /** 1-based, in UTF-16 units as editors count; null where only the line is known. */
    column: z.number().int().nullable(),
    fix: z.string(),
  })
  .meta({ id: 'Finding' })
export type Finding = z.infer<typeof Finding>

export const PackageFormat = z.enum(['python', 'typescript', 'skill-md']).meta({ id: 'PackageFormat' })
export type PackageFormat = z.infer<typeof PackageFormat>

/** What a skill runs on, such as `python3.11` or `node24`. Recorded in the version. `python3` is the default Python of the machine. */
export const RuntimeName = z
  .string()
  .regex(/^(?:python3(?:\.\d{1,2})?|node\d{1,2})$/)
  .meta({ id: 'RuntimeName' })
export type RuntimeName = z.infer<typeof RuntimeName>

/**
 * How a package is called. `file` is relative to the bundle.
 * A `skill-md` package has no function: invoked without arguments it answers with its body, with `{script, args, stdin}` it runs a script.
 */
export const Handler = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('python'), file: z.string(), function: z.string(), takes_context: z.boolean() }),
    z.object({ kind: z.literal('node'), file: z.string(), validates: z.boolean() }),
    z.object({ kind: z.literal('skill-md'), scripts: z.array(z.string()) }),
  ])
  .meta({ id: 'Handler' })
export type Handler = z.infer<typeof Handler>

export const PackageFile = z
  .object({ path: z.string(), size: z.number().int(), sha256: z.string(), executable: z.boolean() })
  .meta({ id: 'PackageFile' })
export type PackageFile = z.infer<typeof PackageFile>

export const SizeName = z
  .enum(Object.keys(SIZES) as [keyof typeof SIZES, ...(keyof typeof SIZES)[]])
  .meta({ id: 'Size' })

/** The face of a SKILL.md: its frontmatter verbatim and its body. */
export const SkillMd = z.object({ frontmatter: AnyObject, body: z.string() }).meta({ id: 'SkillMd' })
export type SkillMd = z.infer<typeof SkillMd>

/** An accepted package: immutable, addressed by the digest of its files. */
export const Package = z
  .object({
    /** `sha256:` and 64 hex digits over the sorted files: the same files give the same digest on any machine. */
    digest: z.string(),
    format: PackageFormat,
    name: z.string(),
    description: z.string(),
    /** Semver from the manifest, if it names one. */
    declared_version: z.string().nullable(),
    input_schema: AnyObject,
    output_schema: AnyObject.nullable(),
    handler: Handler,
    runtime: RuntimeName,
    /** Asked for by the manifest; a stage's configuration may override it. */
    defaults: z.object({
      size: SizeName.optional(),
      timeout_s: z.number().int().positive().optional(),
      network: z.array(z.string()).optional(),
    }),
    files: z.array(PackageFile),
    skill_md: SkillMd.nullable(),
    /** Lock files made or kept for the build, by name: `requirements.lock`, `package-lock.json`. */
    locks: z.record(z.string(), z.string()),
    /** The uploaded zip and the built bundle (a tar), as blobs. */
    archive_blob: z.string(),
    bundle_blob: z.string(),
    created_at: Instant,
  })
  .meta({ id: 'Package' })
export type Package = z.infer<typeof Package>
