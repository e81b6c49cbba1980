import { SkilletError } from '../model/errors.ts'
import type { Stage } from '../model/skills.ts'

/** @param expected Undefined: any. @throws SkilletError stage_changed */
export function requireRevision(
  { name, revision }: Pick<Stage, 'name' | 'revision'>,
  expected: number | undefined,
): void {
  if (expected === undefined || expected === revision) return
  throw new SkilletError('stage_changed', `Stage "${name}" has revision ${revision}, not ${expected}.`, {
    data: { revision },
  })
}
