import { openLimits } from '../bwrap/open-limits.ts'
import type { Places } from '../bwrap/places.ts'
import { createLauncher } from '../bwrap/sandbox.ts'
import { prepareSession } from '../bwrap/session.ts'
import { runTool } from '../bwrap/tool.ts'
import type { Driver } from '../driver.ts'
import { createRunscJail } from './runsc-jail.ts'

export interface RunscOptions {
  /** Closed by whoever opened them, after the driver. */
  readonly places: Places
  /** `soft`: limits by a watchdog even where cgroups could be used. Default `auto`: the strongest there is. */
  readonly limitsMode?: 'auto' | 'soft'
}

/** Sandboxes with a kernel of their own, gVisor's. @throws SandboxError when runsc or bubblewrap is missing. */
export async function createRunscDriver({ places, limitsMode = 'auto' }: RunscOptions): Promise<Driver> {
  const limits = await openLimits(places.key, limitsMode)
  const launcher = createLauncher(await createRunscJail(places.files), places, limits)
  return {
    name: 'runsc',
    capabilities: () => ({
      tier: 'kernel',
      limits: limits.strength,
      held: { by: limits.kind, cpu: limits.cpuQuota },
      network: 'none',
    }),
    prepare: (spec, signal) => prepareSession(launcher, spec, signal),
    tool: (spec, signal) => runTool(launcher, spec, signal),
    close: () => launcher.close(),
  }
}
