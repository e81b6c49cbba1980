import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('a sandbox that cannot be started as too many files are open is an error, and the server goes on', async () => {
  const program = `
    const { requireStreams } = await import(${JSON.stringify(new URL('./failures.ts', import.meta.url).href)})
    const { spawn } = await import('node:child_process')
    const { openSync, closeSync } = await import('node:fs')
    const open = []
    const fill = () => { for (;;) try { open.push(openSync('/dev/null')) } catch { return } }
    fill()
    let said = null
    try { requireStreams(spawn('/bin/sh', ['-c', 'exit'], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] })) } catch (error) { said = error.name + ': ' + error.message }
    for (const one of open) closeSync(one)
    await new Promise((resolve) => setImmediate(resolve))
    const child = spawn('/bin/sh', ['-c', 'exit'], { stdio: 'pipe' })
    requireStreams(child)
    child.on('close', (code) => { console.log(JSON.stringify([said, code])); process.exit(0) })`
  const limited = ['-c', 'ulimit -n 64 && exec "$0" --input-type=module -e "$1"', process.execPath, program]
  const { stdout } = await promisify(execFile)('sh', limited)
  expect(JSON.parse(stdout)).toEqual([
    'SandboxError: The sandbox could not be started: the server has too many files open.',
    0,
  ])
})
