import type { Blobs, Engine } from './backends/ports.ts'
import { createBuilder } from './packages/build/builder.ts'
import { findTools } from './packages/build/tools.ts'
import { createInspector } from './packages/inspect/inspector.ts'
import { createPackageReader } from './packages/package-reader.ts'
import { type PackageValidator, createPackageValidator } from './packages/validate.ts'
import type { Places } from './runtime/bwrap/places.ts'
import type { Driver } from './runtime/driver.ts'
import { createPackageIndexes } from './runtime/egress/package-indexes.ts'
import { createToolFiles } from './runtime/bwrap/expose.ts'
import type { SchemaValidator } from './schemas/validator.ts'

/** What turns uploads into packages: put together here, as it is a world of its own. */
export async function openPackages(parts: {
  readonly engine: Engine
  readonly blobs: Blobs
  readonly places: Places
  readonly driver: Pick<Driver, 'tool'>
  readonly schemas: SchemaValidator
  readonly onError: (error: unknown, doing: string) => void
}): Promise<PackageValidator & { close(): Promise<void> }> {
  const { engine, blobs, places, driver, schemas, onError } = parts
  const reader = createPackageReader()
  const tools = await findTools()
  const files = createToolFiles(places)
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
    async close() {
      await validator.stop()
      await reader.close()
    },
  }
}
