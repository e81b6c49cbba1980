import type { Api } from './api.ts'
import type { CeilingView, QuotaView } from './api-quota.ts'
import { table } from './table.ts'

/** Each cap that holds, how much of it is used and when it is free again. */
export async function quotaText(api: Api, view: QuotaView | CeilingView): Promise<() => string> {
  if (view.states.length === 0) return () => 'There are no caps.\n'
  const names = new Map<string, string>()
  for (const { skill } of view.states) {
    if (skill !== null) names.set(skill, (await api.findSkill(skill)).name)
  }
  const rows = view.states.flatMap(({ skill, caps }) =>
    caps.map(({ cap, used, limit, resets_at }) => [
      skill === null ? 'all' : names.get(skill)!,
      cap.replaceAll('_', ' '),
      used,
      limit,
      resets_at ?? 'when a run ends',
    ]),
  )
  return () => `${table(['SKILL', 'CAP', 'USED', 'LIMIT', 'RESETS'], rows)}Days and months in ${view.zone}.\n`
}
