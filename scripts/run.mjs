// Sets up, then runs a TypeScript file of this project on its own Node 24: node scripts/run.mjs <file> [arguments]
import { resolve } from 'node:path'
import { NODE, ROOT, foreground, toolEnv } from './lib.mjs'
import { setupOrExit } from './setup.mjs'

await setupOrExit()
const [file, ...rest] = process.argv.slice(2)
process.exitCode = await foreground(NODE, [resolve(ROOT, file), ...rest], toolEnv())
