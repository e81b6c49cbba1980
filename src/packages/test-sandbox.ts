import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createBwrapDriver } from '../runtime/bwrap/bwrap-driver.ts'
import { createToolFiles } from '../runtime/bwrap/expose.ts'
import { type Places, openPlaces } from '../runtime/bwrap/places.ts'
import type { Driver } from '../runtime/driver.ts'
import type { Egress } from '../runtime/egress/egress.ts'
import type { ToolFiles } from '../runtime/tool-files.ts'
import type { Draft, Unpacked } from './draft.ts'

/** A real driver and packages on disk, for the tests of this room. */
export interface TestSandbox {
  readonly dir: string
  readonly places: Places
  readonly driver: Driver
  readonly files: ToolFiles
  /** A package as the zip reader leaves it. */
  unpack(contents: Record<string, string | Uint8Array>): Promise<Unpacked>
  close(): Promise<void>
}

/** @param egress What sandboxes with a network go out by; closed by whoever opened it. */
export async function openTestSandbox(egress?: Egress): Promise<TestSandbox> {
  const dir = await mkdtemp(join(tmpdir(), 'skillet-packages-'))
  const places = await openPlaces(dir)
  const driver = await createBwrapDriver({ places, ...(egress && { egress }) })
  let count = 0
  return {
    dir,
    places,
    driver,
    files: createToolFiles(places),
    async unpack(contents) {
      const root = join(places.staging, `package-${++count}`)
      const made: Unpacked['files'] = []
      await mkdir(root, { mode: 0o755 })
      for (const [path, content] of Object.entries(contents)) {
        await mkdir(dirname(join(root, path)), { recursive: true })
        await writeFile(join(root, path), content, { mode: 0o644 })
        made.push({ path, size: Buffer.byteLength(content), sha256: '', executable: false })
      }
      return { dir: root, files: made, digest: `sha256:${count}` }
    },
    async close() {
      await driver.close()
      await places.close()
      await rm(places.root, { recursive: true, force: true })
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export function draftOf(format: Draft['format'], entry: string | null): Draft {
  return {
    format,
    name: 'sample',
    description: null,
    declared_version: null,
    input_schema: null,
    output_schema: null,
    runtime: format === 'typescript' ? 'node24' : 'python3',
    entry,
    defaults: {},
    skill_md: null,
  }
}
