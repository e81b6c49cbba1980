import { openCgroupV1 } from './cgroup-v1.ts'
import { openCgroupV2 } from './cgroup-v2.ts'
import type { Limits } from './limits.ts'
import { openWatchdog } from './watchdog.ts'

/**
 * The strongest there is here, after removing what servers that are gone left under the same key.
 * @param key Stands for the data folder.
 * @param mode `soft`: the watchdog, even where cgroups could be used. Default `auto`.
 */
export async function openLimits(key: string, mode: 'auto' | 'soft' = 'auto'): Promise<Limits> {
  if (mode === 'soft') return openWatchdog()
  return (await openCgroupV2(key)) ?? (await openCgroupV1(key)) ?? openWatchdog()
}
