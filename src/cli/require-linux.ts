import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'
import type { Io } from './io.ts'

/** Servers isolate skills with what only Linux has. @throws CliError that says what to do elsewhere. */
export function requireLinux({ platform }: Pick<Io, 'platform'>): void {
  if (platform === 'linux') return
  throw new CliError(EXIT.failed, `A server runs on Linux; this is ${NAMES[platform] ?? platform}.`, {
    fix:
      'Run it in a Linux virtual machine (Lima, a cloud) or in a container: docs/drivers.md has the commands. ' +
      'Everything else of the command line works here, with --url or SKILLET_URL naming that server.',
  })
}

const NAMES: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'macOS', win32: 'Windows' }
