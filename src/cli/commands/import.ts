import { Command, Option } from 'commander'
import { PROFILES, type Profile } from '../../packages/profiles/profile.ts'
import { type Call, type Cli, action } from '../call.ts'
import { cleanText } from '../clean-text.ts'
import { CliError } from '../cli-error.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { findingsText } from '../findings.ts'
import { findSkills } from '../import/find-skills.ts'
import { type ImportedSkill, importSkill } from '../import/import-skill.ts'
import { openRepository } from '../import/open-repository.ts'
import { table } from '../table.ts'

interface Options {
  readonly stage: string
  readonly profile: Profile
  readonly dryRun?: boolean
}

export function importCommand(cli: Cli): Command {
  return new Command('import')
    .description('deploy every skill of a repository: each folder in it that has a SKILL.md')
    .argument('<source>', 'a folder, a zip, a tar.gz, the https URL of one, or of a site that lists its skills')
    .option('--stage <name>', 'stage to deploy to; made when missing', 'dev')
    .addOption(
      new Option('--profile <name>', 'by whose demands each SKILL.md is measured').choices(PROFILES).default('spec'),
    )
    .option('--dry-run', 'only measure them: nothing is uploaded')
    .action(action<Options>(cli, (call, source = '') => importAll(call, source)))
}

async function importAll(call: Call<Options>, source: string): Promise<ExitCode> {
  const { io, options, progress } = call
  const { stage, profile, dryRun = false } = options
  const deploying = dryRun ? null : { api: call.api(), stage, progress, signal: io.signal }
  const repository = await openRepository(source, io.cwd, io.signal)
  try {
    const { folders, notes } = await findSkills(repository.folder)
    const faults = [...repository.faults, ...notes]
    for (const fault of faults) progress.note(cleanText(fault))
    if (folders.length === 0) throw nothing(faults)
    const taken = new Map<string, string>()
    const items: ImportedSkill[] = []
    for (const folder of folders) {
      io.signal.throwIfAborted()
      progress.note(`${items.length + 1} of ${folders.length}: ${cleanText(folder)}`)
      items.push(await importSkill({ root: repository.folder, folder, profile, taken }, deploying))
      progress.end()
    }
    call.show({ items, faults }, () => shown(call, items))
    return exitCodeOf(items, repository.faults)
  } finally {
    await repository.close()
  }
}

function shown({ paint }: Call, items: readonly ImportedSkill[]): string {
  const wrong = items.filter(
    ({ findings, result }) => result === 'invalid' || (result === 'rejected' && findings.length > 0),
  )
  const details = wrong.map(
    ({ folder, findings }) => `${paint('bold', cleanText(folder))}\n${findingsText(findings, paint)}\n`,
  )
  const rows = items.map((one) => [
    one.skill,
    one.result,
    one.version,
    cleanText(one.folder),
    one.error === null ? '' : cleanText(one.error).replaceAll('\n', ' '),
  ])
  const counts = Map.groupBy(items, ({ result }) => result)
  const summary = [...counts].map(([result, of]) => `${of.length} ${result}`).join(', ')
  return `${details.join('')}${table(['SKILL', 'RESULT', 'VERSION', 'FOLDER', ''], rows)}${summary}\n`
}

/** A skill that is no good is told from one that could not be brought over. */
function exitCodeOf(items: readonly ImportedSkill[], faults: readonly string[]): ExitCode {
  if (items.some(({ result }) => result === 'failed') || faults.length > 0) return EXIT.failed
  return items.some(({ result }) => result === 'invalid' || result === 'rejected') ? EXIT.rejected : EXIT.ok
}

const nothing = (faults: readonly string[]): CliError =>
  new CliError(EXIT.failed, 'There is no skill in it.', {
    why: faults.length === 0 ? 'No folder has a SKILL.md.' : faults.join('; '),
    fix: 'Name a repository whose skills have a SKILL.md each.',
  })
