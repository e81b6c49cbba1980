import { openLimits } from '../bwrap/open-limits.ts'
import type { Places } from '../bwrap/places.ts'
import { createLauncher } from '../bwrap/sandbox.ts'
import { prepareSession } from '../bwrap/session.ts'
import { runTool } from '../bwrap/tool.ts'
import type { Driver } from '../driver.ts'
import type { Egress } from '../egress/egress.ts'
import { createRunscJail } from './runsc-jail.ts'

export interface RunscOptions {
  /** Closed by whoever opened them, after the driver. */
  readonly places: Places
  /** `soft`: limits by a watchdog even where cgroups could be used. Default `auto`: the strongest there is. */
  readonly limitsMode?: 'auto' | 'soft' | undefined
  /** The way out of sandboxes; closed by whoever opened it, after the driver. Default: none, and no network list can be held. */
  readonly egress?: Egress
}

/** Sandboxes with a kernel of their own, gVisor's. @throws SandboxError when runsc or bubblewrap is missing. */
export async function createRunscDriver({ places, limitsMode = 'auto', egress }: RunscOptions): Promise<Driver> {
  const limits = await openLimits(places.key, limitsMode)
  const launcher = createLauncher(await createRunscJail(places.files), places, limits, egress)
  return {
    name: 'runsc',
    capabilities: () => ({
      tier: 'kernel',
      limits: limits.strength,
      held: { by: limits.kind, cpu: limits.cpuQuota },
      network: egress === undefined ? 'none' : 'enforced',
    }),
    prepare: (spec, signal) => prepareSession(launcher, spec, signal),
    tool: (spec, signal) => runTool(launcher, spec, signal),
    close: () => launcher.close(),
  }
}
