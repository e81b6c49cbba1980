import type { AnyRole, Grant } from '../model/access.ts'
import type { Page } from '../model/page.ts'
import type { LogLine, Run, RunStatus } from '../model/runs.ts'
import type { Activation, ChangeLevel, Deployment, Skill, Stage, StageConfig, Upload } from '../model/skills.ts'
import type { DeployProposal } from '../skills/shapes.ts'
import { createAccessApi } from './api-access.ts'
import { createEventsApi } from './api-events.ts'
import { createLinkApi } from './api-link.ts'
import { createQueueApi } from './api-queue.ts'
import { createQuotaApi } from './api-quota.ts'
import { createSessionApi } from './api-session.ts'
import { createSecretApi } from './api-secret.ts'
import { createScheduleApi } from './api-schedule.ts'
import { createWebhookApi } from './api-webhook.ts'
import { createVersionApi } from './api-version.ts'
import type { Connection } from './connection.ts'
import { type RunStreamEvent, followRun } from './follow-run.ts'
import { createAuditApi } from './api-audit.ts'
import { createBackupApi } from './api-backup.ts'
import { type Answer, createHttp } from './http.ts'
import { putFile } from './put-file.ts'
import type { RunSummary } from './run-summary.ts'

export interface UploadTicket {
  readonly upload_id: string
  readonly url: string
  readonly headers: Record<string, string>
}

export interface RunQuery {
  readonly skill?: string | undefined
  readonly stage?: string | undefined
  readonly status?: RunStatus | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface Readiness {
  readonly ready: boolean
  readonly checks: {
    readonly name: string
    readonly ok: boolean
    readonly message: string | null
    readonly fix: string | null
  }[]
}

export interface Whoami {
  readonly key: string
  readonly kind: 'key' | 'token'
  readonly tenant: string
  readonly role: AnyRole
  readonly grants: Grant[]
}

export type Api = ReturnType<typeof createApi>

/** Every call that the command line makes, and nothing else: the one place that knows paths. */
export function createApi({ url, key }: Pick<Connection, 'url' | 'key'>, signal?: AbortSignal) {
  const http = createHttp(url, key, signal)
  const { ok } = http

  return {
    url,
    ...createAccessApi(http),
    ...createAuditApi(http),
    ...createBackupApi(http),
    ...createLinkApi(http),
    ...createQueueApi(http),
    ...createEventsApi({ url, key }, signal),
    ...createQuotaApi(http),
    ...createScheduleApi(http),
    ...createSecretApi(http),
    ...createSessionApi(http),
    ...createWebhookApi(http),
    ...createVersionApi(http),
    /** With the status: 503 says what is wrong, too. */
    ready: (): Promise<Answer<Readiness>> => http.call('GET', '/readyz'),
    whoami: (): Promise<Whoami> => ok('GET', '/api/whoami'),

    createSkill: (name: string, description: string): Promise<Skill> =>
      ok('POST', '/api/skills', { body: { name, description } }),
    findSkill: (skill: string): Promise<Skill> => ok('GET', skillPath(skill)),
    listSkills: (query: { limit?: number; cursor?: string | undefined }): Promise<Page<Skill>> =>
      ok('GET', '/api/skills', { query }),
    deleteSkill: (skill: string): Promise<void> => ok('DELETE', skillPath(skill)),

    listStages: (skill: string): Promise<{ items: Stage[] }> => ok('GET', `${skillPath(skill)}/stages`),
    findStage: (skill: string, stage: string): Promise<Stage> => ok('GET', stagePath(skill, stage)),
    putStage: (skill: string, stage: string, config: StageConfig, revision?: number): Promise<Stage> =>
      ok('PUT', stagePath(skill, stage), { body: { config, ...(revision === undefined ? {} : { revision }) } }),
    history: (skill: string, stage: string): Promise<Page<Activation>> =>
      ok('GET', `${stagePath(skill, stage)}/history`, { query: { limit: 20 } }),
    deployment: (skill: string, stage: string): Promise<Deployment> =>
      ok('GET', `${stagePath(skill, stage)}/deployment`),

    createUpload: (skill: string, stage: string, file: { size: number; sha256: string }): Promise<UploadTicket> =>
      ok('POST', `${stagePath(skill, stage)}/uploads`, { body: file }),
    sendUpload: (ticket: UploadTicket, file: string, onSent: (bytes: number) => void): Promise<void> =>
      putFile(new URL(ticket.url, url), ticket.headers, file, { onSent, signal }),
    findUpload: (skill: string, stage: string, upload: string): Promise<Upload> =>
      ok('GET', `${stagePath(skill, stage)}/uploads/${encodeURIComponent(upload)}`),

    proposal: (skill: string, stage: string): Promise<DeployProposal> => ok('GET', `${stagePath(skill, stage)}/deploy`),
    deploy: (
      skill: string,
      stage: string,
      request: { version?: string; bump?: ChangeLevel; change_level: ChangeLevel; revision?: number },
    ): Promise<Deployment> => ok('POST', `${stagePath(skill, stage)}/deploy`, { body: request }),
    rollback: (skill: string, stage: string, to: { version?: string; deployment?: string }): Promise<Deployment> =>
      ok('POST', `${stagePath(skill, stage)}/rollback`, { body: to }),
    promote: (skill: string, stage: string, to: string): Promise<Deployment> =>
      ok('POST', `${stagePath(skill, stage)}/promote`, { body: { to } }),

    /** @param waitSeconds Answers when the run has ended, if it does within that time. */
    async invoke(
      skill: string,
      stage: string,
      input: unknown,
      waitSeconds?: number,
    ): Promise<{ id: string; run: Run | null }> {
      const { status, body } = await http.answered<Run & { run_id: string }>(
        'POST',
        `${stagePath(skill, stage)}/invoke`,
        {
          body: { input },
          headers: waitSeconds === undefined ? {} : { prefer: `wait=${waitSeconds}` },
        },
      )
      return status === 200 ? { id: body.id, run: body } : { id: body.run_id, run: null }
    },
    findRun: (run: string): Promise<Run> => ok('GET', runPath(run)),
    listRuns: (query: RunQuery): Promise<Page<RunSummary>> => ok('GET', '/api/runs', { query: { ...query } }),
    cancelRun: (run: string): Promise<Run> => ok('POST', `${runPath(run)}/cancel`),
    replayRun: (run: string): Promise<{ run_id: string }> => ok('POST', `${runPath(run)}/replay`),
    /** Lines written until now, oldest first. */
    async *logs(run: string): AsyncGenerator<LogLine, void> {
      let cursor: string | undefined
      for (;;) {
        const page = await ok<Page<LogLine>>('GET', `${runPath(run)}/logs`, { query: { limit: 1000, cursor } })
        yield* page.items
        // Of a run that goes on there is always a next page; an empty one means that this is all for now.
        if (page.next === null || page.items.length === 0) return
        cursor = page.next
      }
    },
    /** All events, live until the result; connects again when the connection breaks. */
    followRun: (run: string): AsyncGenerator<RunStreamEvent, void> =>
      followRun(new URL(`${runPath(run)}/events`, url), key, signal),
  }
}

const skillPath = (skill: string): string => `/api/skills/${encodeURIComponent(skill)}`
const stagePath = (skill: string, stage: string): string => `${skillPath(skill)}/stages/${encodeURIComponent(stage)}`
const runPath = (run: string): string => `/api/runs/${encodeURIComponent(run)}`
