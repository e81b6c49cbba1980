// The package as a stranger has it: what npm packs of this clone, unpacked where npm installs it. Its dependencies are those of the clone.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { bundle } from './bundle.mjs'
import { ROOT, SetupError, manifest, run, toolEnv } from './lib.mjs'

/**
 * Without declarations, which take ten times as long to make as the rest and are never run.
 * @param {string} folder Becomes the folder of who installs it; must exist.
 * @returns {Promise<string>} The `skillet` command in it.
 */
export async function install(folder) {
  const modules = join(folder, 'node_modules')
  const target = join(modules, manifest.name)
  const clone = mkdtempSync(join(tmpdir(), 'skillet-pack-'))
  try {
    for (const part of ['package.json', ...manifest.files.filter((one) => one !== 'dist')]) {
      cpSync(join(ROOT, part), join(clone, part), { recursive: true })
    }
    await bundle(join(clone, 'dist'))
    mkdirSync(target, { recursive: true })
    await succeed('npm', ['pack', clone, '--ignore-scripts', '--pack-destination', clone])
    await succeed('tar', [
      '-xzf',
      join(clone, `${manifest.name}-${manifest.version}.tgz`),
      '-C',
      target,
      '--strip-components=1',
    ])
  } finally {
    rmSync(clone, { recursive: true, force: true })
  }
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  return join(target, manifest.bin.skillet)
}

async function succeed(program, args) {
  const { code, output } = await run(program, args, { env: toolEnv() })
  if (code !== 0) throw new SetupError(`${program} ${args.join(' ')} ended with ${code}.`, output.trim())
}
