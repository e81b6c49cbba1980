import { Command } from 'commander'
import { type Call, type Cli, action } from '../call.ts'
import { type Installed, installSkill } from '../install/install-skill.ts'
import { installedSkills } from '../install/installed.ts'
import { readLock, writeLock } from '../install/lock-file.ts'
import { placeAt } from '../install/place.ts'
import { table } from '../table.ts'

interface Options {
  readonly force?: boolean
}

export function updateCommand(cli: Cli): Command {
  return new Command('update')
    .description('bring installed skills to what their stage serves now, or to the newest; what is pinned stays')
    .argument('[skill]', 'its name; default: all that are installed here')
    .option('--force', 'overwrite what was changed since')
    .action(action<Options>(cli, (call, skill?: string) => update(call, skill)))
}

async function update(call: Call<Options>, skill: string | undefined): Promise<void> {
  const project = call.io.cwd
  const { force = false } = call.options
  const api = call.api()
  let lock = await readLock(project)
  const done: (Installed & { readonly before: string })[] = []
  for (const [path, locked] of installedSkills(project, lock, skill)) {
    call.progress.begin(`Updating ${locked.skill}`)
    const { skill: name, wanted } = locked
    const request = { skill: name, wanted, place: placeAt(project, path), locked, frozen: false, force }
    const installed = await installSkill(api, request)
    lock = { ...lock, [path]: installed.locked }
    // One by one: what was done before something fails is locked as it is.
    await writeLock(project, lock)
    done.push({ ...installed, before: locked.version })
    call.progress.end()
  }
  const items = done.map(({ path, result, before, locked: { skill: name, version, wanted } }) => {
    return { skill: name, wanted, before, version, path, result }
  })
  call.show({ items }, () =>
    table(
      ['SKILL', 'WANTED', 'BEFORE', 'NOW', 'RESULT', 'FOLDER'],
      items.map((one) => [one.skill, one.wanted, one.before, one.version, one.result, one.path]),
    ),
  )
}
