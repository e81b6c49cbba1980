import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { PROFILES } from '../../packages/profiles/profile.ts'
import { type Call, type Cli, action } from '../call.ts'
import { CliError, usageError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { findingsText } from '../findings.ts'
import { packageName } from '../package-name.ts'
import { uploadFolder } from '../upload-folder.ts'
import { type SkillCheckOptions, validateSkill } from '../validate-skill.ts'

interface Options extends SkillCheckOptions {
  readonly stage?: string
  readonly skill?: string
}

export function validateCommand(cli: Cli): Command {
  return new Command('validate')
    .description(
      'show what is wrong with a package: a SKILL.md is checked here, code by the server, without deploying it',
    )
    .argument('[path]', 'a folder, a SKILL.md, or a zip of a skill', '.')
    .addOption(new Option('--profile <name>', 'by whose demands; default: spec').choices(PROFILES))
    .addOption(new Option('--format <format>', 'default: text').choices(['text', 'json', 'sarif']))
    .option('--fix', 'mend what can be mended without knowing what was meant; leaves every other byte as it is')
    .option('--dry-run', 'with --fix: only tell what would be mended')
    .option('--stage <name>', 'have the server check it: stage that holds the upload; what it serves does not change')
    .option('--skill <name>', 'have the server check it: name of the skill; default: that of the manifest')
    .action(action<Options>(cli, (call, path) => validate(call, path)))
}

async function validate(call: Call<Options>, path: string) {
  const { profile, format, fix, dryRun, stage, skill } = call.options
  const local = [profile, format, fix, dryRun].some((option) => option !== undefined)
  const remote = stage !== undefined || skill !== undefined
  if (local && remote)
    throw usageError(
      '--profile, --format, --fix and --dry-run check here; --stage and --skill have the server check.',
      'Leave out the ones or the others.',
    )
  if (dryRun === true && fix !== true)
    throw usageError('--dry-run says what --fix would do.', 'Add --fix, or leave out --dry-run.')
  const full = resolve(call.io.cwd, path)
  if (local || (!remote && (await isSkillOnly(full)))) return validateSkill(call, path)
  if (!remote) await requireManifest(full, path)
  return validateThere(call, full)
}

/** What is plainly no skill is not sent to the server, which would keep one of that name. */
async function requireManifest(folder: string, path: string): Promise<void> {
  if ((await Promise.all(CODE.map((name) => isThere(folder, name)))).includes(true)) return
  throw new CliError(EXIT.rejected, `${path} is no skill: it has no skill.yaml, main.py, spm.yaml or SKILL.md.`, {
    fix: 'Name the folder of one skill, or begin one with "skillet init"; of a folder of many tells "skillet import --dry-run".',
  })
}

const CODE = ['skill.yaml', 'skill.yml', 'spm.yaml', 'spm.yml', 'main.py']

/** A folder whose only manifest is a SKILL.md, or what is no folder: nothing that only a server could look at. */
async function isSkillOnly(path: string): Promise<boolean> {
  if ((await find(path))?.isDirectory() !== true) return true
  if ((await Promise.all(CODE.map((name) => isThere(path, name)))).includes(true)) return false
  return (await isThere(path, 'SKILL.md')) || isThere(path, 'skill.md')
}

const isThere = async (folder: string, name: string): Promise<boolean> =>
  (await find(join(folder, name)))?.isFile() === true

async function find(path: string): Promise<Stats | null> {
  try {
    return await stat(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

async function validateThere(call: Call<Options>, folder: string) {
  const { options, io } = call
  const skill = options.skill ?? (await packageName(folder))
  const target = { skill, stage: options.stage ?? 'dev', folder }
  const upload = await uploadFolder(call.api(), target, call.progress, io.signal)
  const accepted = upload.state === 'accepted'
  const word = accepted ? call.paint('green', 'Accepted') : call.paint('red', 'Rejected')
  call.show(
    upload,
    () => `${findingsText(upload.findings, call.paint)}${word}: ${skill} ${upload.digest ?? ''}`.trimEnd() + '\n',
  )
  return accepted ? EXIT.ok : EXIT.rejected
}
