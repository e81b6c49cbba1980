import type { RuntimeName } from '../model/packages.ts'

/** Makes files of this machine visible to sandboxes, which run as other users. Answers host paths for `binds`. */
export interface ToolFiles {
  /** The pinned Node. */
  readonly node: string
  /** The interpreter of a Python runtime, which lies at the same place in sandboxes; for others that of the default one. */
  python(runtime: RuntimeName): string
  /** A file or folder, where it lies if sandboxes can get there, else a copy. */
  expose(path: string): Promise<string>
  /** A copy of a folder of Python programs of ours, compiled, because a sandbox cannot keep what it compiles. */
  exposePython(folder: string): Promise<string>
}
