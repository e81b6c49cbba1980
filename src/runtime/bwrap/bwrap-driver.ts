import type { Driver } from '../driver.ts'
import type { Egress } from '../egress/egress.ts'
import { openLimits } from './open-limits.ts'
import type { Places } from './places.ts'
import { createLauncher } from './sandbox.ts'
import { prepareSession } from './session.ts'
import { runTool } from './tool.ts'

export interface BwrapOptions {
  /** Closed by whoever opened them, after the driver. */
  readonly places: Places
  /** `soft`: limits by a watchdog even where cgroups could be used. Default `auto`: the strongest there is. */
  readonly limitsMode?: 'auto' | 'soft'
}

/** Sandboxes made by bubblewrap on this machine. @throws SandboxError when bubblewrap is missing. */
export async function createBwrapDriver({ places, limitsMode = 'auto' }: BwrapOptions): Promise<Driver> {
  const limits = await openLimits(places.key, limitsMode)
  const launcher = await createLauncher(places, limits)
  return {
    name: 'bwrap',
    capabilities: () => ({
      tier: 'namespace',
      limits: limits.strength,
      held: { by: limits.kind, cpu: limits.cpuQuota },
      network: 'none',
    }),
    prepare: (spec, signal) => prepareSession(launcher, spec, signal),
    tool: (spec, signal) => runTool(launcher, places, spec, signal),
    close: () => launcher.close(),
  }
}
