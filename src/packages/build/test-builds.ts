import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type DiskBlobs, openDiskBlobs } from '../../backends/disk/disk-blobs.ts'
import { openEgress } from '../../runtime/egress/open-egress.ts'
import { type PackageIndexes, createPackageIndexes } from '../../runtime/egress/package-indexes.ts'
import type { Build, Draft, Inspection } from '../draft.ts'
import { createInspector } from '../inspect/inspector.ts'
import { type TestSandbox, draftOf, openTestSandbox } from '../test-sandbox.ts'
import { type BuilderOptions, createBuilder } from './builder.ts'
import { findTools } from './tools.ts'

/** Everything that a build needs, for real: sandboxes, blobs on disk, this machine's package managers and their indexes. */
export interface TestBuilds extends TestSandbox {
  readonly indexes: PackageIndexes
  /** Inspects and builds; the entry is the first file. */
  build(
    format: Draft['format'],
    contents: Record<string, string | Uint8Array>,
    change?: Partial<BuilderOptions>,
  ): Promise<Build & { inspection: Inspection }>
  /** Unpacks a bundle with the system's tar and answers the folder. */
  extract(blob: string): Promise<string>
}

export async function openTestBuilds(): Promise<TestBuilds> {
  const egress = openEgress({ own: () => null, onError: rethrow })
  const sandbox = await openTestSandbox(egress)
  const blobs: DiskBlobs = await openDiskBlobs({
    folder: join(sandbox.dir, 'blobs'),
    secretFile: join(sandbox.dir, 'upload.key'),
    baseUrl: () => 'http://127.0.0.1:1',
  })
  const { uvPath, npmPath } = await findTools()
  const indexes = createPackageIndexes({ uvPath, npmPath, nodePath: sandbox.files.node })
  const base: BuilderOptions = {
    tool: sandbox.driver.tool,
    blobs,
    files: sandbox.files,
    indexes,
    uvPath,
    npmPath,
  }
  let count = 0
  return {
    ...sandbox,
    indexes,
    async build(format, contents, change = {}) {
      const unpacked = await sandbox.unpack(contents)
      const draft = draftOf(format, format === 'skill-md' ? null : Object.keys(contents)[0]!)
      const inspection = await createInspector({ tool: sandbox.driver.tool, files: sandbox.files })(unpacked, draft)
      return { ...(await createBuilder({ ...base, ...change })(unpacked, draft, inspection)), inspection }
    },
    async extract(blob) {
      const folder = join(sandbox.dir, `bundle-${++count}`)
      await mkdir(folder)
      await promisify(execFile)('tar', ['xf', await blobs.localPath(blob), '-C', folder])
      return folder
    },
    async close() {
      await blobs.close()
      await sandbox.close()
      await egress.close()
    },
  }
}

/** What nobody asked for to hear fails the test. */
function rethrow(error: unknown): never {
  throw error
}
