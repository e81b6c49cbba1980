import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { AGENT_STAGE } from '../../model/skills.ts'
import { isDenied } from '../../packages/finding.ts'
import { checkSkill } from '../../packages/profiles/check-skill.ts'
import { type Call, type Cli, action } from '../call.ts'
import { CliError } from '../cli-error.ts'
import { downloadVersion } from '../download-version.ts'
import { EXIT } from '../exit-codes.ts'
import { findingsText } from '../findings.ts'
import { openSkillSource } from '../skill-source.ts'
import { SURFACES, type Surface } from '../surfaces.ts'
import { verifiedText } from '../verify-download.ts'
import { VERSION_ARGUMENT } from './version-show.ts'

interface Options {
  readonly for: Surface
  readonly output?: string
}

export function exportCommand(cli: Cli): Command {
  return new Command('export')
    .description('make the zip of a skill that another product takes, if it meets the demands of that product')
    .argument('<skill>', 'name or id')
    .argument('[version]', VERSION_ARGUMENT[1], AGENT_STAGE)
    .addOption(new Option('--for <surface>', 'who shall take it').choices(Object.keys(SURFACES)).makeOptionMandatory())
    .option('-o, --output <file>', 'a new file; default: <skill>-<number>.zip')
    .action(
      action<Options>(cli, async (call, skill, name) => {
        const { io, options } = call
        const { layout } = SURFACES[options.for]
        const fileOf = (number: string): string => resolve(io.cwd, options.output ?? `${skill}-${number}.zip`)
        const accept = (draft: string): Promise<void> => requireTaken(call, draft)
        const done = await downloadVersion(call.api(), { skill, name, layout, fileOf, accept })
        call.show(done, () => verifiedText(done.file, done))
      }),
    )
}

/** @throws CliError when that surface would refuse it */
async function requireTaken({ options, io, paintErr }: Call<Options>, zip: string): Promise<void> {
  const { profile } = SURFACES[options.for]
  const source = await openSkillSource(zip)
  try {
    const findings = source.files === null ? source.findings : checkSkill(source.files, { profile, authoring: false })
    if (options.json !== true) io.err(findingsText(findings, paintErr))
    if (!isDenied(findings)) return
    throw new CliError(EXIT.rejected, `It does not meet the demands of ${options.for}: nothing was written.`, {
      fix: `Mend what was found ("skillet validate --profile ${profile} --fix" mends some of it), and deploy it again.`,
      data: { findings },
    })
  } finally {
    await source.close()
  }
}
