import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { SandboxError } from '../driver.ts'

/** @throws SandboxError when it is not installed. */
export async function findBwrap(): Promise<string> {
  const path = await findProgram('bwrap')
  if (path !== null) return path
  throw new SandboxError(
    'bubblewrap (bwrap) was not found.',
    'Install it (Debian, Ubuntu: apt-get install bubblewrap).',
  )
}

/** The path of a program that the system has; null when it has no such thing. */
export async function findProgram(name: string): Promise<string | null> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']) {
    const path = join(folder, name)
    if (!path.startsWith('/')) continue
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  return null
}
