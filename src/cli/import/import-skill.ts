import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Finding } from '../../model/packages.ts'
import { isDenied } from '../../packages/finding.ts'
import { folderFiles } from '../../packages/manifest/folder-files.ts'
import { checkSkill } from '../../packages/profiles/check-skill.ts'
import type { Profile } from '../../packages/profiles/profile.ts'
import type { Api } from '../api.ts'
import { CliError } from '../cli-error.ts'
import { packageFiles } from '../package-files.ts'
import { packageName } from '../package-name.ts'
import type { Progress } from '../progress.ts'
import { uploadFolder } from '../upload-folder.ts'

/** What became of one skill of a repository. `valid`: nothing was to be done with it. */
export interface ImportedSkill {
  /** In the repository. */
  readonly folder: string
  /** Null: it has none that could be used. */
  readonly skill: string | null
  readonly result: 'deployed' | 'unchanged' | 'valid' | 'invalid' | 'rejected' | 'failed'
  readonly version: string | null
  /** Why it did not work. */
  readonly error: string | null
  readonly findings: readonly Finding[]
}

type Outcome = Pick<ImportedSkill, 'result'> & Partial<ImportedSkill>

/** Measures a skill, and deploys it where an API is given. What is wrong with it is its outcome: others go on. */
export async function importSkill(
  { root, folder, profile, taken }: { root: string; folder: string; profile: Profile; taken: Map<string, string> },
  deploying: { api: Api; stage: string; progress: Progress; signal: AbortSignal } | null,
): Promise<ImportedSkill> {
  const base = { folder: folder === '' ? '.' : folder, skill: null, version: null, error: null, findings: [] }
  try {
    return { ...base, ...(await attempt(join(root, folder), base.folder, profile, taken, deploying)) }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    const { message, why } = error
    return { ...base, result: 'failed', error: why === null || message.includes(why) ? message : `${message} ${why}` }
  }
}

async function attempt(
  dir: string,
  shown: string,
  profile: Profile,
  taken: Map<string, string>,
  deploying: Parameters<typeof importSkill>[1],
): Promise<Outcome> {
  const findings = checkSkill(await filesOf(dir, shown), { profile, authoring: false })
  if (isDenied(findings)) return { result: 'invalid', findings }
  const skill = await packageName(dir)
  const other = taken.get(skill)
  if (other !== undefined)
    return { result: 'failed', skill, error: `"${skill}" is the name of the skill in ${other}, too.` }
  taken.set(skill, shown)
  if (deploying === null) return { result: 'valid', skill, findings }
  return { skill, ...(await deploy(skill, dir, deploying)) }
}

async function filesOf(dir: string, shown: string) {
  const paths = await packageFiles(dir)
  const files = await Promise.all(paths.map(async (path) => ({ path, size: (await stat(join(dir, path))).size })))
  // At the root of a repository the folder has whatever name it was unpacked to.
  return folderFiles(dir, files, shown === '.' ? null : basename(dir))
}

async function deploy(
  skill: string,
  folder: string,
  { api, stage, progress, signal }: NonNullable<Parameters<typeof importSkill>[1]>,
): Promise<Outcome> {
  const upload = await uploadFolder(api, { skill, stage, folder }, progress, signal)
  if (upload.state === 'rejected') return { result: 'rejected', findings: upload.findings }
  const proposal = await api.proposal(skill, stage)
  const { change_level, revision, replaces } = proposal
  const before = replaces === null ? null : await api.deployment(skill, stage)
  const { version } = await api.deploy(skill, stage, { change_level, revision })
  return { result: before?.digest === proposal.digest ? 'unchanged' : 'deployed', version, findings: upload.findings }
}
