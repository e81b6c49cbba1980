import { execFile, execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { BEING_TRIED } from '../src/model/readiness.ts'
import { othersReach } from './support/others-reach.ts'
import { readProfile } from './support/seccomp-profile.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PROFILE = join(ROOT, 'deploy/container/seccomp.json')
const isRoot = process.getuid!() === 0
const NOBODY = 65_534

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Why it cannot be tried here, or null. */
const cannot = !libraryIsThere()
  ? 'libseccomp.so.2 is not installed'
  : isRoot && !othersReach(ROOT)
    ? 'an ordinary user cannot read this clone'
    : null

test.skipIf(cannot !== null)(
  `the doctor of an ordinary user passes under the container's profile${because()}`,
  async () => {
    const { ready, checks } = await doctorUnder(PROFILE)
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    expect(ready).toBe(true)
  },
)

test.skipIf(cannot !== null)(
  `without what was added for bubblewrap, as by default, it fails and names the profile${because()}`,
  async () => {
    const profile = readProfile(PROFILE)
    const added = profile.syscalls.findIndex(({ names }) => names.includes('unshare'))
    profile.syscalls.splice(added, 1, ...PLAIN_CLONE)
    const folder = folderOf()
    writeFileSync(join(folder, 'profile.json'), JSON.stringify({ ...profile, defaultErrnoRet: 1 }), { mode: 0o644 })
    const { ready, checks } = await doctorUnder(join(folder, 'profile.json'))
    expect(ready).toBe(false)
    expect(checks.map(({ message }) => message)).not.toContain(BEING_TRIED)
    expect(checks).toContainEqual(
      expect.objectContaining({ ok: false, fix: expect.stringContaining('seccomp=deploy/container/seccomp.json') }),
    )
  },
)

test.skipIf(cannot !== null || !isRoot)(
  `where parts of /proc are covered, as by default, it fails and names that${because()}${isRoot ? '' : ' (only root can cover them)'}`,
  async () => {
    const { ready, checks } = await doctorUnder(PROFILE, [
      'unshare',
      '--mount',
      'sh',
      '-c',
      'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"',
      'sh',
    ])
    expect(ready).toBe(false)
    expect(checks).toContainEqual(
      expect.objectContaining({ ok: false, fix: expect.stringContaining('systempaths=unconfined') }),
    )
  },
)

/** What container runtimes allow by default: `clone` without any flag of a namespace, and callers that fall back to it. */
const PLAIN_CLONE = [
  {
    names: ['clone'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: 0x7e02_0000, valueTwo: 0 }],
  },
  { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
]

interface Doctor {
  readonly ready: boolean
  readonly checks: readonly {
    readonly name: string
    readonly ok: boolean
    readonly message: string | null
    readonly fix: string | null
  }[]
}

/** What `skillet doctor` says as an ordinary user under a profile. @param before What is started first, as root. */
function doctorUnder(profile: string, before: readonly string[] = []): Promise<Doctor> {
  const home = folderOf()
  const env = { HOME: home, TMPDIR: home, PATH: `${dirname(process.execPath)}:/usr/bin:/bin` }
  const user = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--bounding-set=-all', '--']
  const confine = ['/usr/bin/python3', '-I', join(ROOT, 'tests/support/under-seccomp.py'), profile]
  const doctor = [process.execPath, join(ROOT, 'bin/skillet.js'), 'doctor', '--json']
  const command = [...before, ...(isRoot ? user : []), ...confine, ...doctor]
  return new Promise((resolve, reject) => {
    execFile(command[0]!, command.slice(1), { env, cwd: '/' }, (_, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as Doctor)
      } catch (error) {
        reject(new Error(`The doctor said: ${stdout}${stderr}`, { cause: error }))
      }
    })
  })
}

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'skillet-profile-'))
  if (isRoot) chownSync(folder, NOBODY, NOBODY)
  folders.push(folder)
  return folder
}

function libraryIsThere(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import ctypes; ctypes.CDLL("libseccomp.so.2")'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function because(): string {
  return cannot === null ? '' : ` (${cannot})`
}
