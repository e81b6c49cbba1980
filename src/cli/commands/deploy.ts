import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { ChangeLevel, Deployment } from '../../model/skills.ts'
import type { DeployProposal } from '../../skills/shapes.ts'
import { type Call, type Cli, action } from '../call.ts'
import { CliError, usageError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { findingsText } from '../findings.ts'
import { packageName } from '../package-name.ts'
import { uploadFolder } from '../upload-folder.ts'

interface Options {
  readonly stage: string
  readonly skill?: string
  readonly bump?: ChangeLevel
  /** Not `version`, which commander keeps to itself. */
  readonly as?: string
  readonly changeLevel?: ChangeLevel
  readonly yes?: boolean
}

const LEVELS = ['patch', 'minor', 'major'] as const

export function deployCommand(cli: Cli): Command {
  return new Command('deploy')
    .description('upload a package folder, have it validated and built, and serve it')
    .argument('[folder]', 'the package', '.')
    .option('--stage <name>', 'stage to deploy to; made when missing', 'dev')
    .option('--skill <name>', 'name of the skill; default: that of the manifest')
    .addOption(new Option('--bump <part>', 'part of the last version that goes up').choices(LEVELS))
    .option('--as <version>', 'version to give it, major.minor.patch')
    .addOption(new Option('--change-level <level>', 'confirms how large the change is for callers').choices(LEVELS))
    .option('-y, --yes', 'take the proposed version and change level without asking')
    .action(action<Options>(cli, (call, folder) => deploy(call, resolve(call.io.cwd, folder))))
}

async function deploy(call: Call<Options>, folder: string) {
  const { options, io } = call
  if (options.as !== undefined && options.bump !== undefined) {
    throw usageError('--as and --bump both say which version it is.', 'Give one of them.')
  }
  const api = call.api()
  const skill = options.skill ?? (await packageName(folder))
  const { stage } = options
  const upload = await uploadFolder(api, { skill, stage, folder }, call.progress, io.signal)
  if (upload.state === 'rejected') {
    const count = upload.findings.filter(({ severity }) => severity === 'deny').length
    call.show({ skill, stage, upload }, () => findingsText(upload.findings, call.paint))
    io.err(
      `${call.paintErr('red', 'Rejected')}: ${skill} has ${count} finding(s) that must be mended before it can be deployed.\n`,
    )
    return EXIT.rejected
  }
  if (upload.findings.length > 0) io.err(findingsText(upload.findings, call.paintErr))
  const request = await confirmed(call, await api.proposal(skill, stage))
  call.progress.begin(`Deploying ${skill} to ${stage}`)
  const deployment = await api.deploy(skill, stage, request)
  call.progress.end()
  call.show({ skill, stage, upload, deployment }, () => successText(call, skill, deployment))
  return EXIT.ok
}

/** What the owner confirms, by options or by answering. */
async function confirmed(call: Call<Options>, proposal: DeployProposal) {
  const { options, io } = call
  const given = {
    ...(options.bump && { bump: options.bump }),
    ...(options.as !== undefined && { version: options.as }),
  }
  const change_level = options.changeLevel ?? proposal.change_level
  const { revision } = proposal
  const ask = options.yes !== true && options.json !== true && io.tty.in && io.tty.err
  if (!ask) {
    if (options.yes === true || options.changeLevel !== undefined) return { ...given, change_level, revision }
    throw usageError(
      `Nobody is there to confirm version ${proposal.version} as a ${proposal.change_level} change.`,
      'Confirm with --yes, or with --change-level and --bump or --as.',
    )
  }
  for (const { level, path, what } of proposal.changes) io.err(`    ${level}  ${path}  ${what}\n`)
  if (options.changeLevel === undefined) await confirmLevel(proposal)
  const decided = proposal.named || options.bump !== undefined || options.as !== undefined
  const version = decided ? null : await askVersion(proposal.version)
  // Unchanged, it stays the server's to number: another stage may have taken the number meanwhile.
  return { ...given, ...(version !== null && version !== proposal.version && { version }), change_level, revision }
}

async function confirmLevel({ change_level, replaces }: DeployProposal): Promise<void> {
  if (replaces === null) return
  const { confirm, isCancel } = await import('@clack/prompts')
  const answer = await confirm({
    message: `For callers of ${replaces.version} this is a ${change_level} change. Deploy it?`,
  })
  if (isCancel(answer) || !answer) throw cancelled()
}

async function askVersion(proposed: string): Promise<string> {
  const { isCancel, select, text } = await import('@clack/prompts')
  const choice = await select({
    message: 'Which version is it?',
    options: [
      { value: 'proposed', label: proposed },
      { value: 'other', label: 'another one' },
    ],
  })
  if (isCancel(choice)) throw cancelled()
  if (choice === 'proposed') return proposed
  const version = await text({ message: 'major.minor.patch', initialValue: proposed })
  if (isCancel(version)) throw cancelled()
  return version
}

const cancelled = (): CliError =>
  new CliError(EXIT.interrupted, 'Not deployed.', { fix: 'The package is uploaded and stays ready to deploy.' })

function successText({ paint, options }: Call<Options>, skill: string, { version, input_schema }: Deployment): string {
  const stage = options.stage === 'dev' ? '' : ` --stage ${options.stage}`
  const required = (input_schema['required'] as string[] | undefined) ?? []
  const input = required.length === 0 ? '' : ` --input '{${required.map((name) => `"${name}": ...`).join(', ')}}'`
  return `${paint('bold', skill)} ${version} is served on ${options.stage}. Try it:\n  skillet invoke ${skill}${stage}${input}\n`
}
