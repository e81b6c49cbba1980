import type { Engine } from '../backends/ports.ts'
import type { Grant, Principal } from '../model/access.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { now } from '../model/json.ts'
import { type Coverage, covers, touches } from '../model/coverage.ts'
import { createMemory } from './memory.ts'
import { LINK_OPERATIONS, type Operation, PERMISSIONS } from './permissions.ts'

/** What a path names, as it names it: by id or name. What is in it besides does not matter here. */
export interface Target {
  readonly skill?: string
  readonly stage?: string
  readonly run?: string
  readonly delivery?: string
}

export interface Authorizer {
  /**
   * Lets the principal do the operation to the target, or refuses. What is not in the tenant is not found, whatever the grants say.
   * @returns What it may see of a list. Null: everything; then nothing was asked of the state.
   * @throws SkilletError forbidden, not_granted, not_found
   */
  authorize(principal: Principal, operation: Operation, target: Target): Promise<Coverage | null> | null
  /** Those that are in force now. */
  grantsOf(principal: Principal): Promise<Grant[]>
  /** Forgets what is remembered of the principal's grants, so that a change counts at once in this process. */
  forget(principal: string): void
}

/** How long grants are taken as they were found, in milliseconds. They end when they expire all the same. */
const REMEMBER_MS = 5000

/** @param options.rememberMs Default 5000. Another process's change of grants takes effect after at most this long. */
export function createAuthorizer(
  engine: Pick<Engine, 'access' | 'skills' | 'runs' | 'webhooks'>,
  options: { rememberMs?: number; clock?: () => number } = {},
): Authorizer {
  const { rememberMs = REMEMBER_MS, clock = Date.now } = options
  const known = createMemory<{ principal: string; grants: Grant[] }>({ ms: rememberMs, clock })

  async function grantsOf({ tenant, id }: Principal): Promise<Grant[]> {
    const { grants } = await known.get(`${tenant} ${id}`, async () => {
      const found = await engine.access.grantsOf(tenant, id, now(clock()))
      return { value: { principal: id, grants: found }, until: Infinity }
    })
    return grants.filter(({ expires_at }) => expires_at === null || Date.parse(expires_at) > clock())
  }

  async function check(principal: Principal, operation: Operation, target: Target, ownOnly: boolean) {
    const thing = OF_LISTS.has(operation) ? null : await find(engine, principal.tenant, target)
    const coverage: Coverage = { grants: reachOf(principal) ?? (await grantsOf(principal)), ownOnly }
    if (thing === null) return coverage
    if (ownOnly && 'by' in thing && thing.by !== principal.id) {
      throw notGranted(principal, operation, `Run "${target.run}" was begun by somebody else.`)
    }
    if (thing.stage !== null || OF_WHOLE_SKILLS.has(operation)) {
      if (!covers(coverage, thing.skill, thing.stage)) throw notGranted(principal, operation, uncovered(target))
    } else if (!touches(coverage, thing.skill)) throw notGranted(principal, operation, uncovered(target))
    return coverage
  }

  return {
    authorize(principal, operation, target) {
      if (principal.kind === 'link' && !LINK_OPERATIONS.has(operation)) {
        throw new SkilletError('forbidden', `A link may not do "${operation}": skills are fetched through it.`)
      }
      const permission = PERMISSIONS[operation][principal.role]
      if (permission === 'yes') return null
      if (permission === 'no') {
        throw new SkilletError(
          'forbidden',
          `The role "${principal.role}" may not do "${operation}": ${whoMay(operation)}.`,
        )
      }
      return check(principal, operation, target, permission === 'own')
    },
    grantsOf,
    forget: (principal) => known.forget((entry) => entry.principal === principal),
  }
}

function whoMay(operation: Operation): string {
  const roles = Object.entries(PERMISSIONS[operation]).flatMap(([role, permission]) =>
    permission === 'no' ? [] : role,
  )
  return roles.join() === 'operator' ? "it takes an operator's key" : `it is for ${roles.join(', ')}`
}

/** What a link covers by itself. */
const reachOf = ({ link }: Principal): Coverage['grants'] | null =>
  link === undefined ? null : [{ allowed_skills: link.skills, stages: [link.stage] }]

/** Where a thing belongs: to a skill, and to a stage of it by name, which is null where it belongs to the skill as such. */
interface Place {
  readonly skill: string
  readonly stage: string | null
  readonly by?: string
}

/** Operations for which a grant must cover all stages of the skill. */
const OF_WHOLE_SKILLS: ReadonlySet<Operation> = new Set(['versions.read'])

/** Operations on what may be another tenant's, too: whoever serves them looks at the coverage, and what it does not cover is not there. */
const OF_LISTS: ReadonlySet<Operation> = new Set(['catalogue.read', 'discovery.read'])

/** The stage of a run or delivery that has gone since: only grants of all stages cover it. */
const GONE = ''

/** @returns Null where the path names nothing. @throws SkilletError not_found */
async function find(
  { skills, runs, webhooks }: Pick<Engine, 'skills' | 'runs' | 'webhooks'>,
  tenant: string,
  target: Target,
): Promise<Place | null> {
  if (target.run !== undefined) {
    const run = await runs.look(tenant, target.run)
    if (run === null) throw notFound('run', target.run)
    const stage = await skills.findStage(tenant, run.skill, run.stage)
    return { skill: run.skill, stage: stage?.name ?? GONE, by: run.created_by }
  }
  if (target.delivery !== undefined) {
    const found = await webhooks.findDelivery(tenant, target.delivery)
    if (found === null) throw notFound('delivery', target.delivery)
    const { skill, stage } = found.delivery
    return { skill, stage: (await skills.findStage(tenant, skill, stage))?.name ?? GONE }
  }
  if (target.skill === undefined) return null
  const skill = await skills.findSkill(tenant, target.skill)
  if (skill === null) throw notFound('skill', target.skill)
  if (target.stage === undefined) return { skill: skill.id, stage: null }
  const stage = await skills.findStage(tenant, skill.id, target.stage)
  if (stage === null) throw notFound('stage', `${skill.name}/${target.stage}`)
  return { skill: skill.id, stage: stage.name }
}

function uncovered({ skill, stage, run, delivery }: Target): string {
  if (delivery !== undefined) return `No grant covers the skill and stage of delivery "${delivery}".`
  if (run !== undefined) return `No grant covers the skill and stage of run "${run}".`
  return stage === undefined ? `No grant covers skill "${skill}".` : `No grant covers stage "${skill}/${stage}".`
}

function notGranted({ role }: Principal, operation: Operation, why: string): SkilletError {
  return new SkilletError('not_granted', `The role "${role}" needs a grant for "${operation}". ${why}`)
}
