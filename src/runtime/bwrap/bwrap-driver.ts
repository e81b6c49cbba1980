import type { Driver } from '../driver.ts'
import type { Egress } from '../egress/egress.ts'
import { openLimits } from './open-limits.ts'
import type { Places } from './places.ts'
import { createBwrapJail } from './bwrap-jail.ts'
import { createLauncher } from './sandbox.ts'
import { prepareSession } from './session.ts'
import { runTool } from './tool.ts'

export interface BwrapOptions {
  /** Closed by whoever opened them, after the driver. */
  readonly places: Places
  /** `soft`: limits by a watchdog even where cgroups could be used. Default `auto`: the strongest there is. */
  readonly limitsMode?: 'auto' | 'soft' | undefined
  /** The way out of sandboxes; closed by whoever opened it, after the driver. Default: none, and no network list can be held. */
  readonly egress?: Egress
}

/** Sandboxes made by bubblewrap on this machine. @throws SandboxError when bubblewrap is missing. */
export async function createBwrapDriver({ places, limitsMode = 'auto', egress }: BwrapOptions): Promise<Driver> {
  const limits = await openLimits(places.key, limitsMode)
  const launcher = createLauncher(await createBwrapJail(places.files, limits.strength), places, limits, egress)
  return {
    name: 'bwrap',
    capabilities: () => ({
      tier: 'namespace',
      limits: limits.strength,
      held: { by: limits.kind, cpu: limits.cpuQuota },
      network: egress === undefined ? 'none' : 'enforced',
    }),
    prepare: (spec, signal) => prepareSession(launcher, spec, signal),
    tool: (spec, signal) => runTool(launcher, spec, signal),
    close: () => launcher.close(),
  }
}
