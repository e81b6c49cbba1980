import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sandboxFailure } from './failures.ts'

const isRoot = process.getuid!() === 0
const USER = isRoot ? ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'] : []

/** What bubblewrap says of itself when it is started as told; the sandbox is as small as one can be. */
function bubblewrap(before: readonly string[], options: readonly string[] = ['--unshare-user', '--ro-bind', '/', '/']) {
  const [command, ...rest] = [...before, '/usr/bin/bwrap', ...options, '/bin/true']
  const { status, stderr } = spawnSync(command, rest, { encoding: 'utf8', cwd: '/' })
  return { status, stderr, error: sandboxFailure(stderr, 'The sandbox could not be made') }
}

test('where there may be no user namespace, the fix names the setting', () => {
  // Its own setting, in a namespace of its own: the machine's stays as it is.
  const none = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
  const { status, error } = bubblewrap([
    ...USER,
    '/usr/bin/unshare',
    '--user',
    '--map-root-user',
    '/bin/sh',
    '-c',
    none,
    'sh',
  ])
  expect(status).toBe(1)
  expect(error.message).toContain('Creating new namespace failed')
  expect(error.fix).toContain('sysctl -w user.max_user_namespaces')
})

test.skipIf(!isRoot)('root that may not map users is told which capabilities it needs', () => {
  const { status, error } = bubblewrap(['/usr/bin/setpriv', '--bounding-set=-setfcap', '--'])
  expect(status).toBe(1)
  expect(error.message).toContain('setting up uid map')
  expect(error.fix).toMatch(/ordinary user.*capabilities/)
})

test('an option that bubblewrap does not know tells of an old one', () => {
  const { error } = bubblewrap(USER, ['--option-of-tomorrow'])
  expect(error.fix).toContain('bubblewrap 0.8 or later')
})

test('a path that is not there is told as such', () => {
  const { error } = bubblewrap(USER, ['--ro-bind', '/', '/', '--ro-bind', '/nowhere', '/tmp'])
  expect(error.fix).toContain('must exist and be readable')
})

test.skipIf(!isRoot)('a server without bubblewrap is told how to get it', () => {
  const dir = mkdtempSync(join(tmpdir(), 'skillet-none-'))
  try {
    // Mounts of its own, in which the program is covered by an empty file that nobody can execute.
    const hide = 'mount --bind "$1" /usr/bin/bwrap && shift && exec "$@"'
    const program = `
      const { openPlaces } = await import('${new URL('places.ts', import.meta.url).href}')
      const { createBwrapDriver } = await import('${new URL('bwrap-driver.ts', import.meta.url).href}')
      const places = await openPlaces('${dir}', { root: '${dir}/places' })
      await createBwrapDriver({ places }).catch(({ message, fix }) => console.log(JSON.stringify({ message, fix })))
      await places.close()`
    const empty = join(dir, 'empty')
    const command = [`: >${empty} && exec unshare --mount sh -c '${hide}' sh "$@"`, 'sh', empty]
    const server = [process.execPath, '--input-type=module', '-e', program]
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', ...command, ...server], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin' },
    })
    expect(stdout, stderr).not.toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      message: expect.stringContaining('not found'),
      fix: expect.stringContaining('apt-get install bubblewrap'),
    })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
