/** The files of one skill, wherever they lie: an upload on disk, a folder, a request in memory. */
export interface SkillFiles {
  /** Name of the folder that holds them; null where there is none to compare with. */
  readonly folder: string | null
  /** Relative to the skill, with `/`. Sizes in bytes. */
  readonly files: readonly { readonly path: string; readonly size: number }[]
  /** The content of one of them. Asked for SKILL.md and for Markdown that it refers to, and only up to a megabyte. */
  read(path: string): Uint8Array
}

/** `SKILL.md`, else the `skill.md` that few readers know; null when there is neither. */
export function findSkillMd(files: Pick<SkillFiles, 'files'>): string | null {
  const paths = new Set(files.files.map(({ path }) => path))
  return ['SKILL.md', 'skill.md'].find((name) => paths.has(name)) ?? null
}

/** Files that are in memory. */
export function memoryFiles(content: Readonly<Record<string, string | Uint8Array>>, folder: string | null): SkillFiles {
  const bytes = new Map(
    Object.entries(content).map(([path, data]) => [path, typeof data === 'string' ? Buffer.from(data) : data]),
  )
  return {
    folder,
    files: [...bytes].map(([path, data]) => ({ path, size: data.length })),
    read(path) {
      const data = bytes.get(path)
      if (data === undefined) throw new RangeError(`There is no file "${path}".`)
      return data
    },
  }
}
