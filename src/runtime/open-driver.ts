import { createBwrapDriver } from './bwrap/bwrap-driver.ts'
import type { Places } from './bwrap/places.ts'
import type { Driver } from './driver.ts'
import type { Egress } from './egress/egress.ts'

/** `bare` is for development and isolates nothing. */
export type DriverName = 'bwrap' | 'runsc' | 'bare'

/** The driver of that name and no other: where it cannot be had none takes its place. @throws SandboxError */
export async function openDriver(
  name: DriverName,
  parts: { readonly places: Places; readonly limitsMode?: 'auto' | 'soft' | undefined; readonly egress: Egress },
): Promise<Driver> {
  if (name === 'bwrap') return await createBwrapDriver(parts)
  // Loaded where they are asked for: most servers never do.
  if (name === 'runsc') return await (await import('./runsc/runsc-driver.ts')).createRunscDriver(parts)
  return (await import('./bare/bare-driver.ts')).createBareDriver(parts.places)
}
