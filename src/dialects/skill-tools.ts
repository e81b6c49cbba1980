import type { Authorizer } from '../access/authorize.ts'
import type { Denials } from '../access/denials.ts'
import type { Caller } from '../model/access.ts'
import type { CatalogueEntry } from '../model/catalogue.ts'
import type { Coverage } from '../model/coverage.ts'
import { SkilletError } from '../model/errors.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Run } from '../model/runs.ts'
import { AGENT_STAGE, type Deployment, Name } from '../model/skills.ts'
import type { RunsService } from '../runs/service.ts'
import type { AgentCatalogue } from '../skills/agent-catalogue.ts'

/** A deployed skill as something that a model can call. */
export interface SkillTool {
  /** The skill's name: it fits every dialect's rule for tools. */
  readonly name: string
  readonly description: string
  readonly entry: CatalogueEntry
  readonly deployment: Deployment
}

export interface SkillTools {
  /**
   * What the caller may invoke, newest skill first. A skill that has only a SKILL.md is a tool, too: it answers with its instructions.
   * Skills that come with the server are not among them: they are another tenant's to run.
   * @param options.functions Only skills with a handler. Default false.
   */
  list(
    caller: Caller,
    coverage: Coverage | null,
    options: PageOptions & { stage?: string | undefined; functions?: boolean },
  ): Promise<Page<SkillTool>>
  /**
   * Begins a run as an invocation does. A tool that there is not, and one that the caller may not use, are refused in the same words:
   * a model is never told what it may not use. The truth is in the audit log.
   * @throws SkilletError not_found, and whatever an invocation throws
   */
  begin(
    caller: Caller,
    call: {
      readonly name: string
      readonly input: unknown
      readonly stage?: string | undefined
      readonly idempotency?: { readonly key: string; readonly fingerprint: string } | undefined
      /** Where it was asked for, for the audit log. */
      readonly route: { readonly method: string; readonly path: string }
    },
  ): Promise<Run>
}

export function createSkillTools(parts: {
  readonly agents: AgentCatalogue
  readonly runs: Pick<RunsService, 'invoke'>
  readonly authorizer: Pick<Authorizer, 'authorize'>
  readonly denials: Pick<Denials, 'record'>
}): SkillTools {
  const { agents, runs, authorizer, denials } = parts

  return {
    async list({ tenant }, coverage, { stage, functions = false, ...page }) {
      const found = await agents.list({ tenant, coverage, stage }, { ...page, source: 'own' })
      const entries = found.items.filter(({ kind }) => !functions || kind !== 'skill-md')
      const items = await Promise.all(
        entries.map(async (entry) => ({
          name: entry.name,
          description: entry.description,
          entry,
          deployment: await agents.deployment(entry),
        })),
      )
      return { items, next: found.next }
    },

    async begin(caller, { name, input, stage = AGENT_STAGE, idempotency, route }) {
      const missing = new SkilletError('not_found', `There is no tool named "${name.slice(0, 100)}".`)
      if (!Name.safeParse(name).success) throw missing
      const target = { skill: name, stage }
      try {
        await authorizer.authorize(caller, 'runs.invoke', target)
      } catch (error) {
        if (!(error instanceof SkilletError)) throw error
        if (error.code === 'not_found') throw missing
        await denials.record(caller, { operation: 'runs.invoke', ...route, target, error })
        // A role that may call no tools at all is told so; which skills there are says that nothing of.
        throw error.code === 'not_granted' ? missing : error
      }
      try {
        return (await runs.invoke(caller, { skill: name, stage, input, idempotency })).run
      } catch (error) {
        if (!(error instanceof SkilletError)) throw error
        throw error.code === 'not_found' || error.code === 'stage_not_active' ? missing : error
      }
    },
  }
}
