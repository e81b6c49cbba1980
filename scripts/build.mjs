// npm run build: src -> dist as JavaScript with declarations, and the files beside it that are not TypeScript.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from './bundle.mjs'
import { ROOT, run, say, toolEnv } from './lib.mjs'
import { setupOrExit } from './setup.mjs'

await setupOrExit()
const dist = join(ROOT, 'dist')
rmSync(dist, { recursive: true, force: true })
const { code, output } = await run('tsc', ['-p', 'tsconfig.build.json'], { env: toolEnv() })
if (code === 0) {
  await bundle(dist)
} else {
  say(output.trim())
  process.exitCode = code
}
