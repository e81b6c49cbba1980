#!/usr/bin/env node
// Skillet runs on Node 24, which its dependency "node" brings. Started with an older one, it starts itself again with that.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import nodeModule from 'node:module'
import { constants } from 'node:os'
import { fileURLToPath, pathToFileURL } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
// A clone has the sources, and maybe a stale dist; an installed package has only dist.
const main = existsSync(at('../src/cli/main.ts')) ? at('../src/cli/main.ts') : at('../dist/cli/main.js')

// What was compiled is kept, in a folder of our own: one that others may write to would let them write our code.
const cache = at('../.tools/compile-cache')

if (Number(process.versions.node.split('.')[0]) >= 24) {
  nodeModule.enableCompileCache(cache)
  await import(pathToFileURL(main).href)
} else startAgain()

function startAgain() {
  const node = node24()
  if (node === null) {
    process.stderr.write(
      `Skillet needs Node 24, this is ${process.version}, and the binary of its dependency "node" is not installed.\n` +
        'To mend it: run "npm run setup" in a clone; where Skillet is installed, "npm install-scripts approve node" (if npm knows it), then "npm rebuild node".\n',
    )
    process.exitCode = 1
    return
  }
  const env = { ...process.env, NODE_COMPILE_CACHE: cache }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit', env })
  // In a terminal a Ctrl-C reaches the child by itself.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('error', (error) => {
    process.stderr.write(`${node} could not be started: ${error.message}\nTo mend it: npm rebuild node\n`)
    process.exit(1)
  })
  child.on('close', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

/** The binary that the package "node" brings, or null where npm did not run its install script. */
function node24() {
  try {
    return nodeModule.createRequire(import.meta.url).resolve('node/bin/node')
  } catch {
    return null
  }
}
