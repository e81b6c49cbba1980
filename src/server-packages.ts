import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs, Engine } from './backends/ports.ts'
import { createBuilder } from './packages/build/builder.ts'
import { findTools } from './packages/build/tools.ts'
import { createInspector } from './packages/inspect/inspector.ts'
import { PACKAGE_FILES, type PackageFiles, createPackageFiles } from './packages/package-files.ts'
import { type PackageReader, createPackageReader } from './packages/package-reader.ts'
import { type PackageValidator, createPackageValidator } from './packages/validate.ts'
import type { Places } from './runtime/bwrap/places.ts'
import { openBundleCache } from './runtime/bundles.ts'
import type { Driver } from './runtime/driver.ts'
import { createPackageIndexes } from './runtime/egress/package-indexes.ts'
import { createToolFiles } from './runtime/bwrap/expose.ts'
import type { SchemaValidator } from './schemas/validator.ts'

/** What turns uploads into packages: put together here, as it is a world of its own. */
export async function openPackages(parts: {
  readonly dataDir: string
  readonly engine: Engine
  readonly blobs: Blobs
  readonly places: Places
  readonly driver: Pick<Driver, 'tool'>
  readonly schemas: SchemaValidator
  readonly onError: (error: unknown, doing: string) => void
}): Promise<PackageValidator & { readonly files: PackageFiles; close(): Promise<void> }> {
  const { dataDir, engine, blobs, places, driver, schemas, onError } = parts
  const reader = createPackageReader()
  const tools = await findTools()
  const files = createToolFiles(places)
  const folder = join(dataDir, 'packages')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const unpack = (archive: string, target: string): Promise<number> => unpackAccepted(reader, archive, target)
  const folders = await openBundleCache({ folder, blobs, onError, unpack })
  const validator = createPackageValidator({
    engine,
    blobs,
    stagingRoot: places.staging,
    schemas,
    reader,
    runtimes: places.files.runtimes,
    inspect: createInspector({ tool: driver.tool, files }),
    build: createBuilder({
      tool: driver.tool,
      blobs,
      files,
      indexes: createPackageIndexes(tools),
      uvPath: tools.uvPath,
      npmPath: tools.npmPath,
    }),
    onError,
  })
  return {
    ...validator,
    files: createPackageFiles({ folders, blobs, archives: engine.catalogue, reader }),
    async close() {
      await validator.stop()
      await folders.close()
      await reader.close()
    },
  }
}

/** Of a package that was accepted once, so that there is nothing to find. @returns Its bytes. */
async function unpackAccepted(
  reader: Pick<PackageReader, 'unpackArchive'>,
  archive: string,
  target: string,
): Promise<number> {
  const { unpacked, findings } = await reader.unpackArchive({ archive, targetDir: join(target, PACKAGE_FILES) })
  if (unpacked === null) throw new Error(`An accepted archive cannot be unpacked: ${findings[0]?.message}`)
  return unpacked.files.reduce((bytes, { size }) => bytes + size, 0)
}
