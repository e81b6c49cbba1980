import type { SessionInfo } from '../model/sessions.ts'
import { type Member, type Members, isSpare } from './members.ts'
import type { PoolStats } from './session-pool.ts'

/** What is told of a session. */
export function infoOf(member: Member, busy: boolean, at: number): SessionInfo {
  const { session, deployment, memory_mb, network } = member
  return {
    id: session.id,
    skill: deployment.skill,
    stage: deployment.stage,
    deployment: deployment.id,
    version: deployment.version,
    state: busy ? 'busy' : isSpare(member) ? 'spare' : 'idle',
    runs: session.calls,
    age_ms: at - member.born,
    idle_ms: busy ? null : at - member.lastUsed,
    memory_mb,
    network: network.length > 0,
  }
}

export function statsOf({ idle, busy }: Pick<Members, 'idle' | 'busy'>): PoolStats {
  const spare = idle.filter(isSpare).length
  const memory_mb = [...idle, ...busy].reduce((sum, member) => sum + member.memory_mb, 0)
  return { idle: idle.length - spare, busy: busy.size, spare, memory_mb }
}
