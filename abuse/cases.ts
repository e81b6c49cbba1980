import type { AbuseCase } from './case.ts'
import { ARCHIVES } from './cases/archives.ts'
import { ENDINGS } from './cases/ending.ts'
import { FILESYSTEM } from './cases/filesystem.ts'
import { FORGED_ANSWERS } from './cases/forged-answers.ts'
import { KERNEL } from './cases/kernel.ts'
import { KERNEL_OBJECTS } from './cases/kernel-objects.ts'
import { RESULTS } from './cases/results.ts'
import { RESOURCES } from './cases/resources.ts'
import { SECRETS_OF_THE_HOST } from './cases/secrets-of-the-host.ts'

/** All of them, in order of their numbers. */
export const CASES: readonly AbuseCase[] = [
  ...ARCHIVES,
  ...ENDINGS,
  ...FILESYSTEM,
  ...FORGED_ANSWERS,
  ...KERNEL,
  ...KERNEL_OBJECTS,
  ...RESULTS,
  ...RESOURCES,
  ...SECRETS_OF_THE_HOST,
].toSorted((a, b) => a.number - b.number)
