import type { Finding, Handler, Package, PackageFile, PackageFormat, RuntimeName, SkillMd } from '../model/packages.ts'

/** The regular files of an archive that passed zip safety, on disk, in a folder that sandboxes can see. */
export interface Unpacked {
  /** Host folder; belongs to one validation and is removed after it. */
  readonly dir: string
  readonly files: PackageFile[]
  /** `sha256:…` of the sorted files. */
  readonly digest: string
}

/** What the manifests alone say of a package, before its code was looked at. */
export interface Draft {
  readonly format: PackageFormat
  readonly name: string
  /** Null: not declared, to be taken from the code. */
  readonly description: string | null
  readonly declared_version: string | null
  readonly input_schema: Record<string, unknown> | null
  readonly output_schema: Record<string, unknown> | null
  /** As declared: `python3` is any Python 3. */
  readonly runtime: RuntimeName
  /** The source file that holds the handler, relative to the package; null for a SKILL.md package. */
  readonly entry: string | null
  readonly defaults: Package['defaults']
  readonly skill_md: SkillMd | null
  /** Where the manifest declares the runtime and the schemas, for findings about them. */
  readonly declared_at?: {
    readonly file: string
    readonly runtime_line: number | null
    readonly input_line: number | null
    readonly output_line: number | null
  }
}

/** What reading the code (never importing it) found out. */
export interface Inspection {
  readonly findings: Finding[]
  /** Generated from name, docstring and type hints; null where the code says nothing or the format has none. */
  readonly description: string | null
  readonly input_schema: Record<string, unknown> | null
  readonly output_schema: Record<string, unknown> | null
  /** Null when there is no usable entry point; a `deny` finding says so. */
  readonly handler: Handler | null
  /** What the package's Python takes from elsewhere: for the build, which imports it beforehand and misses what nobody provides. */
  readonly imports: ImportedModule[]
}

export interface ImportedModule {
  /** Dotted. */
  readonly module: string
  readonly file: string
  readonly line: number
  readonly stdlib: boolean
  /** Imported as soon as the entry file is. */
  readonly top: boolean
}

/** A bundle that a session can execute, stored as a blob. `bundle_blob` is null when a `deny` finding says why. */
export interface Build {
  readonly findings: Finding[]
  readonly handler: Handler
  readonly bundle_blob: string | null
  readonly locks: Record<string, string>
}
