import type { Finding } from '../../model/packages.ts'

export interface BuildRule {
  readonly severity: Finding['severity']
  readonly fix: string
}

/** Everything that a build can report. */
export const BUILD_RULES: Readonly<Record<string, BuildRule>> = {
  'build.timeout': deny('Depend on fewer or smaller packages, and on ones that need no compiling; then upload again.'),
  'build.disk_full': deny('Depend on fewer or smaller packages; large data does not belong into dependencies.'),
  'build.memory': deny('Depend on packages that need no compiling, or on smaller ones.'),
  'build.too_large': deny('Depend on fewer or smaller packages; large data does not belong into the package.'),
  'build.dependency_not_found': deny(
    'Check the spelling and the version; what is asked for must be on the package index.',
  ),
  'build.dependency_conflict': deny('Loosen the versions that exclude each other.'),
  'build.hash_mismatch': deny(
    'The index serves other files than the ones that were locked: make the lock again, and look at what changed.',
  ),
  'build.hash_missing': deny('Make the lock file again, so that every package in it has its hash.'),
  'build.lock_out_of_step': deny('Make the lock file again from the dependencies as they are now.'),
  'build.requirement': deny('Write one dependency by name and versions, such as "httpx>=0.28".'),
  'build.direct_url': deny(
    'Take the dependency from the package index by name and version, or put its source into the package.',
  ),
  'build.index_option': deny('Remove the option: the operator of the server decides which package index is used.'),
  'build.index_unreachable': deny(
    'Try again later; if it stays so, ask the operator whether the server can reach its package index.',
  ),
  'build.unresolved_import': deny('Add the package to the dependencies in package.json, or correct the path.'),
  'build.native_addon': deny(
    'Use a package without a compiled addon, or one that offers WebAssembly or plain JavaScript.',
  ),
  'build.failed': deny('Read the lines of the tool; they name what it could not do.'),
  'build.network_denied': {
    severity: 'warn',
    fix: 'A build reaches the package index only: do not download anything while a dependency is being built.',
  },
}

function deny(fix: string): BuildRule {
  return { severity: 'deny', fix }
}
