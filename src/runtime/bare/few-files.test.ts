import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('where too many files are open a run without a sandbox is an error, leaves nothing, and the server goes on', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'skillet-few-'))
  const program = `
    const { createBareJail } = await import(${JSON.stringify(new URL('./bare-jail.ts', import.meta.url).href)})
    const { openSync, closeSync } = await import('node:fs')
    const jail = createBareJail({ node: process.execPath, hosts: '/usr' })
    const spec = { binds: [], env: {}, command: ['/bin/sh', '-c', 'exit'], cwd: '/' }
    const open = []
    const fill = () => { for (;;) try { open.push(openSync('/dev/null')) } catch { return } }
    fill()
    let said = null
    try { jail.start(spec, null) } catch (error) { said = error.name + ': ' + error.message }
    for (const one of open) closeSync(one)
    await new Promise((resolve) => setImmediate(resolve))
    const started = jail.start(spec, null)
    started.child.on('close', async (code) => { await started.clear(); console.log(JSON.stringify([said, code])) })`
  try {
    const limited = ['-c', 'ulimit -n 64 && exec "$0" --input-type=module -e "$1"', process.execPath, program]
    const { stdout } = await promisify(execFile)('sh', limited, { env: { ...process.env, TMPDIR: dir } })
    expect(JSON.parse(stdout)).toEqual([
      'SandboxError: The sandbox could not be started: the server has too many files open.',
      0,
    ])
    expect(await readdir(dir)).toEqual([])
  } finally {
    await rm(dir, { recursive: true })
  }
})
