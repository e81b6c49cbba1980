import type { Engine } from '../backends/ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import type { Finding, Package } from '../model/packages.ts'
import type { Profile } from '../packages/profiles/profile.ts'
import { AGENT_STAGE, type Deployment, Name, type Skill, type Version } from '../model/skills.ts'
import type { Activate } from './activate.ts'
import { changeBetween } from './change.ts'
import type { StageListener } from './listener.ts'
import type { Lookup } from './lookup.ts'
import { nextVersion } from './numbering.ts'
import { rejected } from './rejection.ts'
import { type ServeTarget, createServe } from './serve.ts'

/** What checks packages that no upload stands for. */
export interface Checker {
  check(
    submission: { id: string; tenant: string; archive: string; fallbackName: string; profile?: Profile | undefined },
    signal?: AbortSignal,
  ): Promise<{ readonly findings: Finding[]; readonly package: Package | null }>
}

export interface Published {
  readonly skill: Skill
  readonly version: Version
  /** False: the package was a version of the skill already. */
  readonly made: boolean
  /** What its stage `prod` serves now; null when that was not asked for. */
  readonly deployment: Deployment | null
  /** Warnings. */
  readonly findings: Finding[]
}

/** Versions without the steps of a stage: for dialects in which an upload is a version at once. */
export interface Publishing {
  /**
   * Checks, scans and builds the package, keeps it as the next version, and serves it on stage `prod` if told to.
   * @param request.archive A zip that was put into the blobs.
   * @param request.skill Id or name; null: a new one, named by its package.
   * @param request.profile Whose demands its SKILL.md has to meet besides. Default: nobody's.
   * @param request.accept Looks at the package before anything is kept; may throw.
   * @throws SkilletError package_rejected with data.findings, name_taken, not_found, version_taken, isolation_unavailable
   */
  publish(
    caller: Caller,
    request: {
      readonly archive: { readonly sha256: string; readonly size: number }
      readonly skill: string | null
      readonly displayName?: string | null
      readonly serve: boolean
      readonly profile?: Profile
      readonly accept?: (source: Package) => void
      readonly signal?: AbortSignal
    },
  ): Promise<Published>
  /**
   * Serves a version on a stage, which is made when it is missing; one that it serves already goes on as it is.
   * @param target.stage Default AGENT_STAGE.
   * @param target.revision Only if the stage has this one.
   * @throws SkilletError not_found, stage_changed, secret_unknown
   */
  serve(caller: Caller, skill: string, version: string, target?: ServeTarget): Promise<Deployment>
  /**
   * The version is gone for ever. Where stage `prod` serves it, that serves the newest version that is left, or nothing.
   * @throws SkilletError not_found, version_in_use
   */
  withdraw(caller: Caller, skill: string, version: string): Promise<Version>
}

export function createPublishing(parts: {
  engine: Engine
  lookup: Lookup
  checker: Checker
  activate: Activate
  listener: StageListener
  requireIsolation: () => void
}): Publishing {
  const { engine, lookup, checker, listener, requireIsolation } = parts
  const { catalogue } = engine
  const serveOn = createServe(parts)

  async function checked(submission: Omit<Parameters<Checker['check']>[0], 'id'>, signal?: AbortSignal) {
    requireIsolation()
    const { findings, package: source } = await checker.check({ ...submission, id: newId('upload') }, signal)
    if (source !== null) return { source, findings }
    throw rejected(findings)
  }

  return {
    async publish(caller, { archive, skill: named, displayName = null, serve, profile, accept, signal }) {
      const known = named === null ? null : await lookup.skill(caller.tenant, named)
      const { tenant } = caller
      const submission = { tenant, archive: archive.sha256, fallbackName: known?.name ?? 'skill', profile }
      const { source, findings } = await checked(submission, signal)
      accept?.(source)
      const at = now()
      const fresh = known === null ? newSkill(caller, source, displayName, at) : null
      const skill = known ?? (await draftOf(fresh!, source.digest)) ?? fresh!
      const version = {
        id: newId('version'),
        tenant: caller.tenant,
        skill: skill.id,
        version: await numberOf(skill, source),
        digest: source.digest,
        created_by: caller.id,
        created_at: at,
      }
      const detail = { version: version.version, digest: source.digest, skill: skill.id }
      const note = noteOf(caller, 'version.publish', { kind: 'version', id: version.id }, detail)
      const kept = await catalogue.publish({ skill, create: skill === fresh, package: source, version, note })
      const deployment = serve ? await serveOn(caller, skill, kept.version) : null
      return { skill, ...kept, deployment, findings }
    },

    async serve(caller, skillName, versionName, target) {
      const skill = await lookup.skill(caller.tenant, skillName)
      return serveOn(caller, skill, await lookup.version(skill, versionName), target)
    },

    async withdraw(caller, skillName, versionName) {
      const skill = await lookup.skill(caller.tenant, skillName)
      const version = await lookup.exactVersion(skill, versionName)
      // What is refused changes nothing: not what agents get, either.
      await catalogue.requireWithdrawable(version)
      const served = await catalogue.findServed(caller.tenant, AGENT_STAGE, skill.id)
      if (served?.digest === version.digest) {
        const { items } = await catalogue.versions(caller.tenant, skill.id, { limit: 2 })
        const next = items.find(({ id }) => id !== version.id)
        if (next !== undefined) await serveOn(caller, skill, next)
      }
      const detail = { version: version.version, digest: version.digest, skill: skill.id }
      const note = noteOf(caller, 'version.withdraw', { kind: 'version', id: version.id }, detail)
      const gone = await catalogue.withdraw(caller.tenant, skill.id, version.id, note)
      if (gone === null) return lookup.exactVersion(skill, versionName)
      if (gone.retired !== null) listener.retired(gone.retired)
      return version
    },
  }

  /**
   * A skill of that name that was begun and got no further: an upload to a stage brought no version, or the server died before it served this
   * one. No agent sees it, so nobody who makes one of that name means another.
   */
  async function draftOf({ tenant, name, description, display_name }: Skill, digest: string): Promise<Skill | null> {
    const skill = await engine.skills.findSkill(tenant, name)
    if (skill === null) return null
    const { items } = await catalogue.versions(tenant, skill.id, { limit: 2 })
    const begun =
      items.length === 0 ? (await catalogue.highest(skill.id)) === null : items.every((it) => it.digest === digest)
    if (!begun || (await catalogue.findServed(tenant, AGENT_STAGE, skill.id)) !== null) return null
    return { ...skill, description, display_name }
  }

  async function numberOf(skill: Skill, source: Package): Promise<string> {
    const named = await engine.skills.findVersionOfDigest(skill.tenant, skill.id, source.digest)
    if (named !== null) return named.version
    const highest = await catalogue.highest(skill.id)
    const [last] = (await catalogue.versions(skill.tenant, skill.id, { limit: 1 })).items
    const before = last === undefined ? null : await lookup.package(skill.tenant, last.digest)
    const change_level = before === null ? 'patch' : changeBetween(before, source).change_level
    return nextVersion({ highest, declared: source.declared_version, change_level })
  }
}

function newSkill(caller: Caller, source: Package, displayName: string | null, at: string): Skill {
  const name = Name.safeParse(source.name)
  if (!name.success) {
    throw new SkilletError('package_rejected', `The package is named "${source.name}", which names no skill.`, {
      data: { findings: [] },
    })
  }
  return {
    id: newId('skill'),
    tenant: caller.tenant,
    name: name.data,
    description: source.description,
    display_name: displayName,
    created_at: at,
    updated_at: at,
  }
}
