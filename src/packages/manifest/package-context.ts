/** A package as the manifest readers see it. */
export interface PackageContext {
  readonly dir: string
  /** Paths of all files. */
  readonly paths: readonly string[]
  /** The name when no manifest gives one: that of the skill it was uploaded to. */
  readonly fallbackName: string
  has(path: string): boolean
}
