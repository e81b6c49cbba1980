import type { Flushed, SessionInfo } from '../model/sessions.ts'
import type { Http } from './http.ts'

/** Calls about the sandboxes that are kept. */
export const createSessionApi = ({ ok }: Http) => ({
  /** @param tenant For the operator, whose. */
  listSessions: (tenant?: string): Promise<{ items: SessionInfo[] }> =>
    ok('GET', tenant === undefined ? '/api/sessions' : `/api/tenants/${encodeURIComponent(tenant)}/sessions`),
  flushStage: (skill: string, stage: string): Promise<Flushed> =>
    ok('POST', `/api/skills/${encodeURIComponent(skill)}/stages/${encodeURIComponent(stage)}/sessions/flush`),
  flushSessions: (): Promise<Flushed> => ok('POST', '/api/sessions/flush'),
  flushServer: (): Promise<Flushed> => ok('POST', '/api/server/sessions/flush'),
})
