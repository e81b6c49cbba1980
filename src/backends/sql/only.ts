import type { Only } from '../flow-ports.ts'
import { oneOf } from './page.ts'

/** The condition that rows with a `skill` and a `stage` are of one of these places: of the skills, on stages of these names. */
export function onlyThese(tenant: string, only: Only): { where: string; values: string[] } {
  const places = only.map(({ skills, stages }) => {
    const where = ['1 = 1']
    const values: string[] = []
    if (skills !== null) {
      where.push(oneOf('skill', skills))
      values.push(...skills)
    }
    if (stages !== null) {
      where.push(`stage IN (SELECT id FROM stages WHERE tenant = ? AND ${oneOf('name', stages)})`)
      values.push(tenant, ...stages)
    }
    return { where: where.join(' AND '), values }
  })
  return {
    where: `(${['1 = 0', ...places.map(({ where }) => where)].join(' OR ')})`,
    values: places.flatMap(({ values }) => values),
  }
}
