import { SandboxError, type Session, type SessionSpec } from '../driver.ts'
import type { Launcher } from './sandbox.ts'
export function prepareSession(_l: Launcher, _s: SessionSpec, _signal?: AbortSignal): Promise<Session> {
  return Promise.reject(new SandboxError('Sessions come with the next commit.', 'Wait.'))
}
