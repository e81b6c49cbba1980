import type { PackageFile } from '../../model/packages.ts'
import type { Api } from '../api.ts'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { requireOurs } from './compare.ts'
import { fetchSkill } from './fetch-skill.ts'
import type { LockedSkill } from './lock-file.ts'
import type { Place } from './place.ts'
import { swap, withDraft } from './put-skill.ts'

/** What became of a skill of the project. */
export interface Installed {
  readonly path: string
  /** `current`: its files were there already. */
  readonly result: 'installed' | 'updated' | 'current'
  readonly locked: LockedSkill
}

/**
 * Puts a version of a skill where it belongs, whole or not at all.
 * @param request.locked What is installed there by now.
 * @param request.frozen It has to be what is locked, bit by bit.
 * @throws CliError when the server has no such version, and when something is in the way
 */
export async function installSkill(
  api: Api,
  request: {
    readonly skill: string
    readonly wanted: string
    readonly place: Place
    readonly locked: LockedSkill | undefined
    readonly frozen: boolean
    readonly force: boolean
  },
): Promise<Installed> {
  const { skill, place, locked, frozen, force } = request
  const { path } = place
  const wanted = frozen ? locked!.version : request.wanted
  const version = await api.findVersion(skill, wanted)
  if (frozen && version.digest !== locked!.digest) {
    throw new CliError(EXIT.failed, `${skill} ${wanted} is not what is locked.`, {
      why: `The server has ${version.digest}; the lock file names ${locked!.digest}.`,
      fix: 'Find out who changed which of the two; "skillet install" locks what the server has.',
    })
  }
  const there = await requireOurs(place, locked, { force, digest: version.digest })
  if (there === version.digest && locked?.digest === version.digest) {
    return { path, result: 'current', locked: { ...locked, wanted: frozen ? locked.wanted : wanted } }
  }
  return withDraft(place, async (draft) => {
    const fetched = await fetchSkill(api, { skill, version }, draft)
    if (!force) {
      requireSkillMd(place, skill, fetched.files)
      requireNoPlugin(place, skill, fetched.files)
    }
    if (there !== version.digest) await swap(fetched.dir, place, draft)
    const { signature, key } = fetched
    const next: LockedSkill = {
      server: new URL(api.url).origin,
      skill,
      wanted,
      version: version.version,
      digest: version.digest,
      files: [...fetched.files],
      signature,
      key,
    }
    const result = there === version.digest ? 'current' : there === null ? 'installed' : 'updated'
    return { path, result, locked: frozen ? locked! : next }
  })
}

/** Agents see no folder without one. */
function requireSkillMd({ path }: Place, skill: string, files: readonly PackageFile[]): void {
  if (!/\/\.(?:claude|agents)\/skills\//.test(`/${path}`)) return
  if (files.some((file) => file.path.toLowerCase() === 'skill.md')) return
  throw new CliError(EXIT.failed, `${skill} has no SKILL.md: agents would not find it in ${path}.`, {
    why: 'It is a function, which agents call as a tool.',
    fix: 'Let them call it over MCP ("skillet mcp config"), or put its files elsewhere with --to.',
  })
}

/** A skill folder with that in it is a plugin to Claude Code, whose hooks run without being asked for. */
function requireNoPlugin({ path }: Place, skill: string, files: readonly PackageFile[]): void {
  if (!`/${path}`.includes('/.claude/skills/') || !files.some((file) => file.path.startsWith('.claude-plugin/'))) return
  throw new CliError(EXIT.failed, `${skill} has a folder .claude-plugin: Claude Code would load it as a plugin.`, {
    why: 'Hooks and servers of a plugin run without being asked for; those of a skill do not.',
    fix: 'Look at its files first ("skillet version download"); then install it with --force.',
  })
}
