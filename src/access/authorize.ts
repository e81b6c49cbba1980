import type { Principal, Role } from '../model/access.ts'
import { SkilletError } from '../model/errors.ts'

/** What a role may do: `yes`, `grant` (only with a grant for the skill), or `no`. */
export type Permission = 'yes' | 'grant' | 'no'

/** Who may do what: the one table. An operation that is not listed does not exist; a role that is not `yes` is refused. */
export const PERMISSIONS = {
  'self.read': { owner: 'yes', developer: 'yes', viewer: 'yes', agent: 'yes' },
  'skills.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'no' },
  'skills.write': { owner: 'yes', developer: 'no', viewer: 'no', agent: 'no' },
  'stages.write': { owner: 'yes', developer: 'no', viewer: 'no', agent: 'no' },
  'packages.upload': { owner: 'yes', developer: 'no', viewer: 'no', agent: 'no' },
  'stages.deploy': { owner: 'yes', developer: 'no', viewer: 'no', agent: 'no' },
  'runs.invoke': { owner: 'yes', developer: 'grant', viewer: 'no', agent: 'grant' },
  'runs.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'grant' },
  'runs.control': { owner: 'yes', developer: 'grant', viewer: 'no', agent: 'grant' },
} as const satisfies Record<string, Record<Role, Permission>>

export type Operation = keyof typeof PERMISSIONS

/**
 * Lets the principal do the operation, or refuses.
 * There are no grants yet, so `grant` refuses; whoever adds them answers it here and nowhere else.
 * @throws SkilletError forbidden
 */
export function authorize(principal: Principal, operation: Operation): void {
  const permission: Permission = PERMISSIONS[operation][principal.role]
  if (permission === 'yes') return
  const why = permission === 'grant' ? ' without a grant' : ''
  throw new SkilletError('forbidden', `A key with the role "${principal.role}" may not do "${operation}"${why}.`)
}
