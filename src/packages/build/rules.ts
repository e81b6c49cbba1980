import type { Finding } from '../../model/packages.ts'

export interface BuildRule {
  readonly severity: Finding['severity']
  readonly why: string
  readonly fix: string
}

/** Everything that a build can report. */
export const BUILD_RULES: Readonly<Record<string, BuildRule>> = {
  'build.timeout': deny(
    'A build that hangs holds a sandbox for ever.',
    'Depend on fewer or smaller packages, and on ones that need no compiling; then upload again.',
  ),
  'build.disk_full': deny(
    'Every build has a disk of its own, of a fixed size.',
    'Depend on fewer or smaller packages; large data does not belong into dependencies.',
  ),
  'build.memory': deny(
    'Every build has a fixed amount of memory.',
    'Depend on packages that need no compiling, or on smaller ones.',
  ),
  'build.too_large': deny(
    'Every session unpacks the bundle.',
    'Depend on fewer or smaller packages; large data does not belong into the package.',
  ),
  'build.dependency_not_found': deny(
    'The index has no such package, or no such version of it.',
    'Check the spelling and the version; what is asked for must be on the package index.',
  ),
  'build.dependency_conflict': deny(
    'No choice of versions satisfies all requirements.',
    'Loosen the versions that exclude each other.',
  ),
  'build.hash_mismatch': deny(
    'A file that is not the one that was locked may be an attack.',
    'The index serves other files than the ones that were locked: make the lock again, and look at what changed.',
  ),
  'build.hash_missing': deny(
    'Without a hash nobody can tell whether the same file is fetched next time.',
    'Make the lock file again, so that every package in it has its hash.',
  ),
  'build.lock_out_of_step': deny(
    'The lock does not cover what the package asks for.',
    'Make the lock file again from the dependencies as they are now.',
  ),
  'build.requirement': deny(
    'What cannot be read as a dependency cannot be resolved.',
    'Write one dependency by name and versions, such as "httpx>=0.28".',
  ),
  'build.direct_url': deny(
    'Only what the package index serves can be checked and fetched again.',
    'Take the dependency from the package index by name and version, or put its source into the package.',
  ),
  'build.index_option': deny(
    'A package that chooses its own index could replace any dependency.',
    'Remove the option: the operator of the server decides which package index is used.',
  ),
  'build.index_unreachable': deny(
    'Dependencies are fetched from the package index.',
    'Try again later; if it stays so, ask the operator whether the server can reach its package index.',
  ),
  'build.unresolved_import': deny(
    'The module is missing when the skill runs.',
    'Add the package to the dependencies in package.json, or correct the path.',
  ),
  'build.native_addon': deny(
    'A compiled addon cannot be put into one file.',
    'Use a package without a compiled addon, or one that offers WebAssembly or plain JavaScript.',
  ),
  'build.failed': deny(
    'The tool that builds the package gave up.',
    'Read the lines of the tool; they name what it could not do.',
  ),
  'build.network_denied': {
    severity: 'warn',
    why: 'Something that ran during the build tried to reach another host.',
    fix: 'A build reaches the package index only: do not download anything while a dependency is being built.',
  },
}

function deny(why: string, fix: string): BuildRule {
  return { severity: 'deny', why, fix }
}
