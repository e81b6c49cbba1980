import type { EgressRules } from '../egress/egress.ts'
import type { SandboxLayout } from './argv.ts'

/** What is started in a sandbox, and how much it may take. */
export interface LaunchSpec extends Omit<SandboxLayout, 'files' | 'seccompFd' | 'channelFd'> {
  /** `host`: takes calls on descriptor 3 and answers on 4. `command`: may write to 3. */
  readonly kind: 'host' | 'command'
  /** It begins when it is told to over 4, after it has said a line there; so none outlives a server that is killed meanwhile. */
  readonly held: boolean
  /** Whether the command forks for each run, and nothing else outlives one. */
  readonly forks: boolean
  /** What may be reached, and whose word that is. */
  readonly network: (Omit<EgressRules, 'allow'> & { readonly entries: EgressRules['allow'] }) | null
  readonly memory_bytes: number
  /** CPUs' worth of time at the most. */
  readonly cpus: number
  /** Called when the memory watchdog strikes, before the sandbox is killed for it. */
  readonly onExceeded?: () => void
}
