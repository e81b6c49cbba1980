import { Command } from 'commander'
import { AGENT_STAGE } from '../../model/skills.ts'
import { type Call, type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'
import { type Installed, installSkill } from '../install/install-skill.ts'
import { installedSkills } from '../install/installed.ts'
import { LOCK_FILE, readLock, writeLock } from '../install/lock-file.ts'
import { placeAt, placeFor } from '../install/place.ts'
import { table } from '../table.ts'

interface Options {
  readonly to?: string
  readonly version?: string
  readonly frozen?: boolean
  readonly force?: boolean
}

export function installCommand(cli: Cli): Command {
  return new Command('install')
    .description(`put a skill into this project, and what it is into ${LOCK_FILE}; without a name: all that is locked`)
    .argument('[skill]', 'name or id; default: every skill of the lock file, as it is locked')
    .option(
      '--to <where>',
      'claude-code (.claude/skills), agents (.agents/skills), or a folder of the project',
      'claude-code',
    )
    .option('--version <version>', `a version, latest, or the name of a stage; default: ${AGENT_STAGE}`)
    .option('--frozen', 'install what is locked and nothing else, and change no lock file: for CI')
    .option('--force', 'overwrite what is in the way')
    .action(action<Options>(cli, (call, skill?: string) => install(call, skill)))
}

async function install(call: Call<Options>, skill: string | undefined): Promise<void> {
  const { frozen = false, version, force = false, to = 'claude-code' } = call.options
  if ((frozen || skill === undefined) && version !== undefined) {
    throw usageError(
      '--version names another version than the locked one.',
      'Leave it out, or name the skill without --frozen.',
    )
  }
  if (frozen || skill === undefined) return installLocked(call, skill, force)
  const project = call.io.cwd
  const api = call.api()
  const name = (await api.findSkill(skill)).name
  const place = placeFor(project, to, name)
  const lock = await readLock(project)
  call.progress.begin(`Installing ${name}`)
  const locked = lock[place.path]
  const wanted = version ?? AGENT_STAGE
  const installed = await installSkill(api, { skill: name, wanted, place, locked, frozen: false, force })
  await writeLock(project, { ...lock, [place.path]: installed.locked })
  call.progress.end()
  show(call, [installed])
}

/** Exactly what the lock file says, and it stays as it is. */
async function installLocked(call: Call<Options>, skill: string | undefined, force: boolean): Promise<void> {
  const project = call.io.cwd
  const api = call.api()
  const done: Installed[] = []
  for (const [path, locked] of installedSkills(project, await readLock(project), skill)) {
    call.progress.begin(`Installing ${locked.skill} ${locked.version}`)
    const place = placeAt(project, path)
    done.push(
      await installSkill(api, { skill: locked.skill, wanted: locked.version, place, locked, frozen: true, force }),
    )
    call.progress.end()
  }
  show(call, done)
}

function show(call: Call, done: readonly Installed[]): void {
  const items = done.map(({ path, result, locked: { skill, version, digest } }) => ({
    skill,
    version,
    digest,
    path,
    result,
  }))
  call.show({ items }, () =>
    table(
      ['SKILL', 'VERSION', 'RESULT', 'FOLDER'],
      items.map(({ skill, version, result, path }) => [skill, version, result, path]),
    ),
  )
}
