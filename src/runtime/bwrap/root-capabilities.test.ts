import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { requireRootCapabilities, requireSight } from './root-capabilities.ts'

const status = (effective: string, uid = 0): string =>
  `Name:\tnode\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nCapPrm:\tffffffffffffffff\nCapEff:\t${effective}\n`

test('all of root, and the four that a server as root needs, suffice', () => {
  expect(() => requireRootCapabilities(status('000001ffffffffff'))).not.toThrow()
  expect(() => requireRootCapabilities(status('00000000000000e1'))).not.toThrow()
})

test.each([
  ['CAP_CHOWN', 'e0'],
  ['CAP_KILL', 'c1'],
  ['CAP_SETGID', 'a1'],
  ['CAP_SETUID', '61'],
  ['CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID', '0'],
])('without %s it says so, and what to do', (names, effective) => {
  expect(() => requireRootCapabilities(status(effective.padStart(16, '0')))).toThrow(
    `The server runs as root without ${names}, and`,
  )
})

test('a watchdog that would see nothing of its sandboxes is none', () => {
  expect(() => requireSight(status('00000000000000e1'))).toThrow('as root without CAP_SYS_PTRACE')
  expect(() => requireSight(status('000001ffffffffff'))).not.toThrow()
  // Its sandboxes have its own user.
  expect(() => requireSight(status('0000000000000000', 1000))).not.toThrow()
})

test.skipIf(process.getuid!() !== 0)('a server as root from which one was taken does not start', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'skillet-capabilities-'))
  try {
    const places = new URL('places.ts', import.meta.url).pathname
    const program = `const { openPlaces } = await import('${places}')
      await openPlaces('${dir}').catch(({ message, fix }) => console.log(JSON.stringify({ message, fix })))`
    const without = ['--bounding-set=-kill', process.execPath, '--input-type=module', '-e', program]
    const { stdout } = await promisify(execFile)('setpriv', without)
    expect(JSON.parse(stdout)).toMatchObject({
      message: expect.stringContaining('as root without CAP_KILL,'),
      fix: expect.stringContaining('deploy/systemd/root.conf'),
    })
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
