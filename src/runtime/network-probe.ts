import { z } from 'zod'
import { INSIDE } from './bwrap/argv.ts'
import type { Driver } from './driver.ts'

/**
 * Whether a network list is held: makes a sandbox with one name in its list and has it look up that one and another. Nothing leaves
 * the machine for that.
 * @returns What is wrong; null when nothing is.
 * @throws SandboxError when there is no such sandbox.
 */
export async function probeNetworkList(
  driver: Pick<Driver, 'tool' | 'capabilities'>,
  signal?: AbortSignal,
): Promise<string | null> {
  const given = { names: [LISTED, UNLISTED], kernel: driver.capabilities().tier === 'kernel' ? 'own' : 'host' }
  const result = await driver.tool(
    {
      argv: ['/usr/bin/python3', '-I', '-S', `${INSIDE.hosts}/probes.py`, JSON.stringify(given)],
      binds: [],
      network: [{ name: LISTED, wildcard: false, ports: [443] }],
      memory_mb: 128,
      disk_mb: 16,
      timeout_ms: 10_000,
    },
    signal,
  )
  const said = Report.safeParse(parsed(result.stdout))
  if (!said.success)
    return `the probe gave no answer (${result.ended} ${result.exitCode}: ${result.stderr.slice(0, 500)})`
  const { names, privileges } = said.data
  if (privileges !== null) return `after its ports were opened, ${privileges}`
  if (names[UNLISTED] !== null) return `a name that is not in it was found at ${names[UNLISTED]}`
  if (!names[LISTED]?.startsWith('127.')) return `a name that is in it was not found (${names[LISTED] ?? 'no answer'})`
  return null
}

/** Of a domain that belongs to nobody. */
const LISTED = 'listed.skillet.test'
const UNLISTED = 'unlisted.skillet.test'

const Report = z.object({ names: z.record(z.string(), z.string().nullable()), privileges: z.string().nullable() })

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
