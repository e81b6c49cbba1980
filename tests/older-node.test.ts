import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** A Node of the machine's own that is too old to run Skillet itself, if there is one. */
function olderNode(): string | null {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  try {
    const found = execFileSync('/bin/sh', ['-c', 'command -v node'], {
      env: { PATH: path.join(delimiter) },
      encoding: 'utf8',
    })
    const node = realpathSync(found.trim())
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' })
    return Number(/^v(\d+)/.exec(version)![1]) < 24 ? node : null
  } catch {
    return null
  }
}

const older = olderNode()

test('the command started with an older Node starts itself again with the one that it brings', (context) => {
  if (older === null) context.skip('this machine has no Node older than 24')
  const bin = fileURLToPath(new URL('../bin/skillet.js', import.meta.url))
  const out = execFileSync(older!, [bin, '--version'], { encoding: 'utf8' })
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/)
})
