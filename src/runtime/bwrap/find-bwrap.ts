import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { SandboxError } from '../driver.ts'

/** @throws SandboxError when it is not installed. */
export async function findBwrap(): Promise<string> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']) {
    const path = join(folder, 'bwrap')
    if (!path.startsWith('/')) continue
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  throw new SandboxError(
    'bubblewrap (bwrap) was not found.',
    'Install it (Debian, Ubuntu: apt-get install bubblewrap).',
  )
}
