import { openCgroupV1 } from './cgroup-v1.ts'
import { openCgroupV2 } from './cgroup-v2.ts'
import type { Limits } from './limits.ts'
import { requireSight } from './root-capabilities.ts'
import { openWatchdog } from './watchdog.ts'

/**
 * The strongest there is here, after removing what servers that are gone left under the same key.
 * @param key Stands for the data folder.
 * @param mode `soft`: the watchdog, even where cgroups could be used. Default `auto`.
 * @throws SandboxError where there is only a watchdog, and that would see nothing.
 */
export async function openLimits(key: string, mode: 'auto' | 'soft' = 'auto'): Promise<Limits> {
  const hard = mode === 'soft' ? null : ((await openCgroupV2(key)) ?? (await openCgroupV1(key)))
  if (hard !== null) return hard
  requireSight()
  return openWatchdog()
}
