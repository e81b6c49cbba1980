// npm run build: src -> dist as JavaScript with declarations, and the files beside it that are not TypeScript.
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, run, say, toolEnv } from './lib.mjs'
import { setupOrExit } from './setup.mjs'

await setupOrExit()
rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
const { code, output } = await run('tsc', ['-p', 'tsconfig.build.json'], { env: toolEnv() })
if (code === 0) {
  cpSync(join(ROOT, 'src'), join(ROOT, 'dist'), {
    recursive: true,
    filter: (from) => !/\.ts$|\.pyc$|__pycache__/.test(from),
  })
} else {
  say(output.trim())
  process.exitCode = code
}
