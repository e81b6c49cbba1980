import type { Call } from './call.ts'
import { cleanText } from './clean-text.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { checkInstalled } from './install/check-installed.ts'
import { installedSkills } from './install/installed.ts'
import { readLock } from './install/lock-file.ts'
import { usageError } from './cli-error.ts'
import { type VerifyOptions, trustedKeys } from './verify-download.ts'

/** Whether what is installed in a project is what its lock file says, and what was signed. No server is asked. */
export async function verifyInstalled(call: Call<VerifyOptions>): Promise<ExitCode> {
  const { io, options, paint } = call
  if (options.signature !== undefined) {
    throw usageError('Which files does the signature belong to?', 'Name a zip or a folder before --signature.')
  }
  const keys = options.publicKey === undefined ? null : await trustedKeys(call)
  const lock = await readLock(io.cwd)
  const installed = installedSkills(io.cwd, lock)
  const items = await Promise.all(installed.map((one) => checkInstalled(io.cwd, one, keys)))
  const ok = items.every(({ faults }) => faults.length === 0)
  call.show({ ok, items }, () =>
    items
      .map(({ path, skill, version, digest, key, faults }) => {
        const word = faults.length === 0 ? paint('green', 'ok   ') : paint('red', 'wrong')
        const what = `${word} ${path}: ${skill} ${version}, ${digest}, signed under ${key}\n`
        return what + faults.map((fault) => `      ${cleanText(fault)}\n`).join('')
      })
      .join(''),
  )
  return ok ? EXIT.ok : EXIT.failed
}
