import type { Engine } from '../backends/ports.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Package, PackageFile } from '../model/packages.ts'
import type { Version } from '../model/skills.ts'
import { differences, permissionsOf } from './differences.ts'
import { changeBetween } from './change.ts'
import type { Lookup } from './lookup.ts'
import type { VersionDetail, VersionDiff } from './shapes.ts'

export interface Versions {
  /** Highest first. */
  list(tenant: string, skill: string, page: PageOptions): Promise<Page<Version>>
  find(tenant: string, skill: string, version: string): Promise<VersionDetail>
  files(tenant: string, skill: string, version: string): Promise<PackageFile[]>
  /** What changed between two versions: files by content, and the schemas with the change level that they demand. */
  diff(tenant: string, skill: string, from: string, to: string): Promise<VersionDiff>
}

export function createVersions(parts: { engine: Engine; lookup: Lookup }): Versions {
  const { engine, lookup } = parts

  async function load(
    tenant: string,
    skillName: string,
    name: string,
  ): Promise<{ version: Version; package: Package }> {
    const version = await lookup.version(await lookup.skill(tenant, skillName), name)
    return { version, package: await lookup.package(tenant, version.digest) }
  }

  return {
    async list(tenant, skillName, page) {
      const { id } = await lookup.skill(tenant, skillName)
      return engine.skills.listVersions(tenant, id, page)
    },

    async find(tenant, skillName, name) {
      const { version, package: source } = await load(tenant, skillName, name)
      const { format, description, input_schema, output_schema, handler, runtime, defaults, skill_md } = source
      return {
        ...version,
        package: {
          format,
          name: source.name,
          description,
          input_schema,
          output_schema,
          handler,
          runtime,
          defaults,
          skill_md,
        },
      }
    },

    async files(tenant, skillName, name) {
      return (await load(tenant, skillName, name)).package.files
    },

    async diff(tenant, skillName, from, to) {
      const [before, after] = await Promise.all([load(tenant, skillName, from), load(tenant, skillName, to)])
      return {
        from: before.version,
        to: after.version,
        files: compareFiles(before.package.files, after.package.files),
        frontmatter: differences(before.package.skill_md?.frontmatter ?? {}, after.package.skill_md?.frontmatter ?? {}),
        permissions: differences(permissionsOf(before.package), permissionsOf(after.package)),
        schemas: { from: schemasOf(before.package), to: schemasOf(after.package) },
        ...changeBetween(before.package, after.package),
      }
    },
  }
}

function compareFiles(before: readonly PackageFile[], after: readonly PackageFile[]): VersionDiff['files'] {
  const old = new Map(before.map((file) => [file.path, file]))
  const present = new Set(after.map(({ path }) => path))
  return {
    added: after.filter(({ path }) => !old.has(path)),
    removed: before.filter(({ path }) => !present.has(path)),
    changed: after.flatMap((to) => {
      const from = old.get(to.path)
      const same = from === undefined || (from.sha256 === to.sha256 && from.executable === to.executable)
      return same ? [] : [{ path: to.path, from, to }]
    }),
  }
}

function schemasOf({ input_schema, output_schema }: Package): VersionDiff['schemas']['from'] {
  return { input_schema, output_schema }
}
