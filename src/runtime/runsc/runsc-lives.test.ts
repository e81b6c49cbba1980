import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { invoke, openTestSessions, outcome } from '../test-sessions.ts'
import { findRunsc } from './find-runsc.ts'

const missing = await findRunsc().then(
  () => false,
  () => true,
)

describe.skipIf(missing)('the ends of sandboxes with gVisor (to run this: apt-get install runsc)', () => {
  test('killing the server kills its sandboxes', async () => {
    const program = `
      import { openTestSessions } from ${JSON.stringify(new URL('../test-sessions.ts', import.meta.url).pathname)}
      const { driver, places } = await openTestSessions({ driver: 'runsc' })
      const write = (chunk) => console.log(places.root)
      await driver.tool({ argv: ['/bin/sh', '-c', 'echo >&3; sleep 100'], binds: [], memory_mb: 64, disk_mb: 16, timeout_ms: 60000, artefact: { write, maxBytes: 10 } })`
    const folder = await mkdtemp(join(tmpdir(), 'skillet-lives-'))
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: folder },
    })
    const gone = once(child, 'exit')
    let root = ''
    for await (const line of createInterface({ input: child.stdout })) {
      root = line
      break
    }
    const hosts = join(root, 'runtime')
    expect(processes(hosts).length).toBeGreaterThan(0)
    child.kill('SIGKILL')
    await gone
    while (processes(hosts).length > 0) await new Promise(setImmediate)
    for (const left of [root, folder]) await rm(left, { recursive: true, force: true })
  })

  test('killing a session leaves no process and no mount', async () => {
    const sandboxes = await openTestSessions({ driver: 'runsc' })
    const session = await sandboxes.python(
      'import time\ndef handler(input):\n  print("on", flush=True)\n  time.sleep(60)',
    )
    const begun = Promise.withResolvers<void>()
    const running = invoke(session, {}, { onLine: () => begun.resolve() })
    await begun.promise
    expect(processes(sandboxes.places.files.hosts).length).toBeGreaterThan(0)
    await session.kill()
    expect(outcome(await running)).toBe('cancelled')
    expect(processes(sandboxes.places.files.hosts)).toEqual([])
    expect(readFileSync('/proc/mounts', 'utf8')).not.toMatch(/runsc|\/guest/)
    await sandboxes.close()
  })
})

/** Of gVisor with that folder in sight, as this machine sees them. */
function processes(under: string): string[] {
  const mine = under.split('/').slice(-3).join('/')
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
        return text.includes('runsc') && mounts.includes(mine) ? [text] : []
      } catch {
        return [] // It is gone.
      }
    })
}
