import type { AbuseCase } from './case.ts'
import { ARCHIVES } from './cases/archives.ts'
import { BETWEEN_RUNS } from './cases/between-runs.ts'
import { BUILDS } from './cases/builds.ts'
import { ENDINGS } from './cases/ending.ts'
import { FILESYSTEM } from './cases/filesystem.ts'
import { FORGED_ANSWERS } from './cases/forged-answers.ts'
import { KERNEL } from './cases/kernel.ts'
import { KERNEL_OBJECTS } from './cases/kernel-objects.ts'
import { MEMORY } from './cases/memory.ts'
import { NETWORK } from './cases/network.ts'
import { NETWORK_FLOODS } from './cases/network-floods.ts'
import { NETWORK_BOUNDS } from './cases/network-bounds.ts'
import { LOADING } from './cases/loading.ts'
import { MACHINE_SETTINGS } from './cases/machine-settings.ts'
import { NATIVE_CODE } from './cases/native-code.ts'
import { NO_RESULT } from './cases/no-result.ts'
import { OUTPUT } from './cases/output.ts'
import { PATCHING } from './cases/patching.ts'
import { RESULTS } from './cases/results.ts'
import { RESOURCES } from './cases/resources.ts'
import { SECRETS_OF_THE_HOST } from './cases/secrets-of-the-host.ts'
import { SERVER_CRASH } from './cases/server-crash.ts'
import { SHARED_MACHINE } from './cases/shared-machine.ts'
import { TENANTS } from './cases/tenants.ts'
import { WAY_OUT } from './cases/way-out.ts'

/** All of them, in order of their numbers. */
export const CASES: readonly AbuseCase[] = [
  ...ARCHIVES,
  ...BETWEEN_RUNS,
  ...BUILDS,
  ...ENDINGS,
  ...FILESYSTEM,
  ...FORGED_ANSWERS,
  ...KERNEL,
  ...KERNEL_OBJECTS,
  ...MEMORY,
  ...NETWORK,
  ...NETWORK_BOUNDS,
  ...NETWORK_FLOODS,
  ...LOADING,
  ...MACHINE_SETTINGS,
  ...NATIVE_CODE,
  ...NO_RESULT,
  ...OUTPUT,
  ...PATCHING,
  ...RESULTS,
  ...RESOURCES,
  ...SECRETS_OF_THE_HOST,
  ...SERVER_CRASH,
  ...SHARED_MACHINE,
  ...TENANTS,
  ...WAY_OUT,
].toSorted((a, b) => a.number - b.number)
