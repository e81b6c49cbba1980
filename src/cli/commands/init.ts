import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Argument, Command } from 'commander'
import { Name } from '../../model/skills.ts'
import { type Call, type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'
import { pythonScaffold } from '../scaffolds/python.ts'
import type { ScaffoldMaker } from '../scaffolds/scaffold.ts'
import { skillMdScaffold } from '../scaffolds/skill-md.ts'
import { typescriptScaffold } from '../scaffolds/typescript.ts'

const SCAFFOLDS: Readonly<Record<string, ScaffoldMaker>> = {
  python: pythonScaffold,
  typescript: typescriptScaffold,
  'skill-md': skillMdScaffold,
}

export function initCommand(cli: Cli): Command {
  return new Command('init')
    .description('make a folder with a small package that works, to begin with')
    .addArgument(new Argument('<format>', 'what it is written in').choices(Object.keys(SCAFFOLDS)))
    .argument('<name>', 'name of the skill and of the folder')
    .action(action(cli, (call, format, name) => init(call, format, name)))
}

async function init(call: Call, format: string, name: string): Promise<void> {
  if (!Name.safeParse(name).success) {
    throw usageError(`"${name}" cannot name a skill.`, 'Use up to 64 lower-case letters, digits and single hyphens.')
  }
  const folder = resolve(call.io.cwd, name)
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0) {
    throw usageError(`The folder ${folder} is not empty.`, 'Choose another name, or empty the folder first.')
  }
  const files = SCAFFOLDS[format]!(name)
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content, { flag: 'wx', mode: path.startsWith('scripts/') ? 0o755 : 0o644 })
  }
  call.show({ folder, format, files: Object.keys(files) }, () =>
    [
      ...Object.keys(files).map((path) => `  ${name}/${path}`),
      'Next:',
      `  skillet deploy ${name}`,
      `  skillet invoke ${name} --input @${name}/sample-input.json`,
      '',
    ].join('\n'),
  )
}
