import { BEING_TRIED } from '../model/readiness.ts'
import { type Driver, SandboxError } from './driver.ts'
import { probeNetworkList } from './network-probe.ts'

/** No session gets a network list before one was seen to be held on this machine. */
export interface NetworkGate {
  /** The driver's; sessions with a list wait for `prove`. */
  readonly prepare: Driver['prepare']
  /**
   * Tries a list, unless one was seen to be held: after the start, so that no start waits for it, and again for the next session after it
   * failed. Does nothing where the driver holds no lists.
   * @throws SandboxError
   */
  prove(): Promise<void>
  /** What was found, for people. It throws what an operator has to mend. */
  checks(): { readonly name: string; check(): string }[]
}

export function createNetworkGate(driver: Pick<Driver, 'prepare' | 'tool' | 'capabilities'>): NetworkGate {
  let proof: Promise<void> | null = null
  let state: 'tried' | 'held' | SandboxError = 'tried'

  async function attempt(): Promise<void> {
    try {
      const wrong = await probeNetworkList(driver)
      if (wrong !== null) throw new SandboxError(`Network lists are not held on this machine: ${wrong}.`, REPORT)
      state = 'held'
    } catch (error) {
      proof = null
      if (error instanceof SandboxError) state = error
      throw error
    }
  }
  const prove = (): Promise<void> => {
    if (driver.capabilities().network !== 'enforced') return Promise.resolve()
    return (proof ??= attempt())
  }
  return {
    async prepare(spec, signal) {
      if (spec.network.length > 0) await prove()
      return await driver.prepare(spec, signal)
    },
    prove,
    checks() {
      if (driver.capabilities().network !== 'enforced') return []
      return [{ name: 'network list', check: () => found(state) }]
    },
  }
}

const REPORT =
  'Deploy nothing with a network list on this machine, and report this with the output of "skillet doctor".'

function found(state: 'tried' | 'held' | SandboxError): string {
  if (state instanceof SandboxError) throw state
  return state === 'held' ? 'held: names that are not in it are not found' : BEING_TRIED
}
