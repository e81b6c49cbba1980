import { findProgram } from '../bwrap/find-bwrap.ts'
import { SandboxError } from '../driver.ts'

/** @throws SandboxError when it is not installed. */
export async function findRunsc(): Promise<string> {
  const path = await findProgram('runsc')
  if (path !== null) return path
  throw new SandboxError('gVisor (runsc) was not found.', INSTALL_RUNSC)
}

/** What to do where there is none. */
export const INSTALL_RUNSC =
  'Install it (Debian, Ubuntu: apt-get install runsc; elsewhere as gvisor.dev says), or start the server without --driver runsc.'
