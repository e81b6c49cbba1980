import type { Places } from '../bwrap/places.ts'
import { createLauncher } from '../bwrap/sandbox.ts'
import { prepareSession } from '../bwrap/session.ts'
import { runTool } from '../bwrap/tool.ts'
import type { Driver } from '../driver.ts'
import { createBareJail } from './bare-jail.ts'
import { NO_LIMITS } from './no-limits.ts'

/**
 * Plain processes of this machine: nothing is isolated, nothing is limited but time and output. Only for development, where whoever
 * deploys a skill might as well have started it by hand.
 */
export function createBareDriver(places: Places): Driver {
  const launcher = createLauncher(createBareJail(places.files), places, NO_LIMITS)
  return {
    name: 'bare',
    capabilities: () => ({ tier: 'none', limits: 'none', network: 'open' }),
    prepare: (spec, signal) => prepareSession(launcher, spec, signal),
    tool: (spec, signal) => runTool(launcher, spec, signal),
    close: () => launcher.close(),
  }
}
