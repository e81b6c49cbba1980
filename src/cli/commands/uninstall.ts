import { Command } from 'commander'
import { type Call, type Cli, action } from '../call.ts'
import { requireOurs } from '../install/compare.ts'
import { installedSkills } from '../install/installed.ts'
import { readLock, writeLock } from '../install/lock-file.ts'
import { placeAt } from '../install/place.ts'
import { takeAway, withDraft } from '../install/put-skill.ts'

interface Options {
  readonly to?: string
  readonly force?: boolean
}

export function uninstallCommand(cli: Cli): Command {
  return new Command('uninstall')
    .description('remove an installed skill from this project, and from its lock file')
    .argument('<skill>', 'its name')
    .option(
      '--to <where>',
      'only there: claude-code, agents, or a folder of the project; default: wherever it is installed',
    )
    .option('--force', 'remove it though its files were changed')
    .action(action<Options>(cli, (call, skill = '') => uninstall(call, skill)))
}

async function uninstall(call: Call<Options>, skill: string): Promise<void> {
  const project = call.io.cwd
  const { to, force = false } = call.options
  const lock = await readLock(project)
  const found = installedSkills(project, lock, skill, to)
  const rest = { ...lock }
  for (const [path, locked] of found) {
    const place = placeAt(project, path)
    const there = await requireOurs(place, locked, { force })
    if (there !== null) await withDraft(place, (draft) => takeAway(place, draft))
    delete rest[path]
    await writeLock(project, rest)
  }
  const paths = found.map(([path]) => path)
  call.show({ skill, removed: paths }, () => paths.map((path) => `${path} is removed.\n`).join(''))
}
