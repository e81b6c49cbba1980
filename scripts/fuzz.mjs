// npm run fuzz: sets up, installs schemathesis into .tools, then runs scripts/fuzz.ts on the project's own Node 24.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NODE, ROOT, UV, foreground, green, red, run, say, toolEnv } from './lib.mjs'
import { setupOrExit } from './setup.mjs'

const FOLDER = join(ROOT, '.tools', 'schemathesis')
const REQUIREMENTS = join(ROOT, 'scripts', 'fuzz-requirements.txt')

await setupOrExit()
if (await installed())
  process.exitCode = await foreground(NODE, [join(ROOT, 'scripts', 'fuzz.ts'), ...process.argv.slice(2)], toolEnv())
else process.exitCode = 1

/** Once, and again when other versions are wanted. */
async function installed() {
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex')
  const stamp = join(FOLDER, 'stamp')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true
  say('Installing schemathesis into .tools ...')
  const python = join(FOLDER, 'bin', 'python')
  for (const args of [
    ['venv', '--quiet', '--clear', '--python', '>=3.11', FOLDER],
    ['pip', 'sync', '--quiet', '--python', python, '--require-hashes', '--only-binary', ':all:', REQUIREMENTS],
  ]) {
    const { code, output } = await run(UV, args)
    if (code === 0) continue
    say(`${red('uv failed:')}\n${output}\n${green('To mend it:')} do what uv names above, then repeat.`)
    return false
  }
  writeFileSync(stamp, wanted)
  return true
}
