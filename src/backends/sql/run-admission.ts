import { notFound } from '../../model/errors.ts'
import { now } from '../../model/json.ts'
import { jsonText } from '../../model/written-json.ts'
import type { NewRunEvent, Run } from '../../model/runs.ts'
import type { QueueName } from '../../model/sizes.ts'
import type { Admission, AdmitOptions, Claim, RunStore } from '../run-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Transaction } from './database.ts'
import { type RunRow, bit, toRun } from './rows.ts'
import { enqueue, enqueueLeased, hasToWait } from './queue-order.ts'
import { admitToQuota } from './quota-admission.ts'
import { endRun, failure } from './run-ending.ts'
import { writeEvents } from './run-events.ts'
import { type Taking, takeRuns } from './run-taking.ts'
import type { Watchers } from './watchers.ts'

type Idempotency = AdmitOptions['idempotency']

export function createRunAdmission(db: Database, watchers: Watchers): Pick<RunStore, 'admit'> {
  return {
    admit(run, queue, note, { idempotency, take, trace } = {}) {
      return db.tx(async (t) => {
        // Deleting a stage ends its runs: one that comes after that would be ended by nobody.
        const [stage] = await t.recall('SELECT id FROM stages WHERE id = ?', run.stage)
        if (stage === undefined) throw notFound('stage', run.stage)
        const before = await claimKey(t, run, idempotency)
        if (before !== null) return before
        let claim: Claim | null = null
        try {
          if (take !== undefined) claim = await beginAtOnce(t, watchers, run, queue, { ...take, trace })
          if (claim === null) await t.savepoint(() => lineUp(t, run, queue, trace))
        } catch (error) {
          const failed = await refused(t, run, error)
          await writeAudit(t, note, { after: asked(run) })
          return failed
        }
        if (run.replay_of !== null) await clearLetter(t, run.tenant, run.replay_of)
        const taken = claim !== null ? [claim] : take === undefined ? [] : await takeRuns(t, watchers, queue, 1, take)
        // After what taking writes to quotas and log: in one order everywhere, so that no two transactions wait for each other.
        await writeAudit(t, note, { after: asked(run) })
        // It had to wait, or others do that have come back.
        if (claim === null) watchers.queueChanged(t, queue)
        return { outcome: 'admitted', run, taken }
      })
    },
  }

  async function lineUp(t: Transaction, run: Run, queue: QueueName, trace: string | undefined): Promise<void> {
    await insertRun(t, watchers, run)
    await enqueue(t, run, queue, { trace })
  }

  /** The row is kept, as the record of what was asked for; the key is free again, so that the request can be repeated. */
  async function refused(t: Transaction, run: Run, error: unknown): Promise<Admission> {
    await insertRun(t, watchers, run)
    await t.query('DELETE FROM idempotency WHERE tenant = ? AND run = ?', run.tenant, run.id)
    const message = `The run could not be queued: ${error instanceof Error ? error.message : String(error)}`
    const ended = await endRun(t, watchers, run.id, failure('runtime_error', 'EnqueueFailed', message))
    return { outcome: 'enqueue_failed', run: { ...ended, input: run.input } }
  }

  async function claimKey(t: Transaction, run: Run, idempotency: Idempotency): Promise<Admission | null> {
    if (idempotency === undefined) return null
    const { key, fingerprint, expires_at } = idempotency
    await forgetExpired(t, run.created_at)
    const [claimed] = await t.query(
      `INSERT INTO idempotency (tenant, key, fingerprint, run, expires_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (tenant, key) DO UPDATE SET fingerprint = excluded.fingerprint, run = excluded.run,
       expires_at = excluded.expires_at WHERE idempotency.expires_at <= ? RETURNING run`,
      run.tenant,
      key,
      fingerprint,
      run.id,
      expires_at,
      run.created_at,
    )
    if (claimed !== undefined) return null
    const [first] = await t.query<{ fingerprint: string; run: string }>(
      'SELECT fingerprint, run FROM idempotency WHERE tenant = ? AND key = ?',
      run.tenant,
      key,
    )
    if (first?.fingerprint !== fingerprint) return { outcome: 'mismatch' }
    return { outcome: 'repeated', run: (await readRun(t, run.tenant, first.run))! }
  }

  /** A few with each key that comes, so that the table stays as large as what is remembered. */
  async function forgetExpired(t: Transaction, at: string): Promise<void> {
    await t.query(
      `DELETE FROM idempotency WHERE (tenant, key) IN (SELECT tenant, key FROM idempotency WHERE expires_at <= ?
       ORDER BY expires_at LIMIT 4${db.dialect.skipLocked})`,
      at,
    )
  }
}

/** A letter that is sent again is none any more. */
async function clearLetter(t: Transaction, tenant: string, id: string): Promise<void> {
  await t.query('UPDATE runs SET dead_letter = 0 WHERE id = ? AND tenant = ? AND dead_letter = 1', id, tenant)
}

/** What was asked for, without its input. */
const asked = ({ id, deployment }: Run): object => ({ id, deployment })

/** With its payloads. */
export async function readRun(db: Pick<Database, 'query'>, tenant: string, id: string): Promise<Run | null> {
  const [found] = await db.query<RunRow & { input_body: string | null; output_body: string | null }>(
    `SELECT runs.*, run_inputs.body AS input_body, run_outputs.body AS output_body FROM runs
     LEFT JOIN run_inputs ON run_inputs.run = runs.id LEFT JOIN run_outputs ON run_outputs.run = runs.id
     WHERE runs.id = ? AND runs.tenant = ?`,
    id,
    tenant,
  )
  if (found === undefined) return null
  return toRun(found, { input: found.input_body, output: found.output_body })
}

/**
 * A run that nobody is before, taken as `takeRuns` would have taken it next, but written once, as it runs, instead of as it waits and then
 * again. Null: it has to wait, or whoever takes it finds out why it cannot be begun. @throws what the queue refused it with
 */
async function beginAtOnce(
  t: Transaction,
  watchers: Watchers,
  run: Run,
  queue: QueueName,
  { leaseMs, begin, trace = null }: Taking & { readonly trace?: string | null | undefined },
): Promise<Claim | null> {
  const at = Date.now()
  if (await hasToWait(t, run, queue, at)) return null
  return t.savepoint(async () => {
    const { id, tenant, skill } = run
    if ((await admitToQuota(t, { id, tenant, skill, counted: false }, at)) !== null) return null
    const token = 1
    await enqueueLeased(t, run, queue, { at, leaseMs, token, trace })
    const begun: Run = { ...run, status: 'running', attempt: 1, started_at: now(at), queue_ms: 0 }
    await insertRun(t, watchers, begun)
    // Only runs with a deployment are ever queued.
    const claim = { run: { ...begun, input: run.input ?? null } as Claim['run'], token, retries: 0, trace }
    if (begin !== undefined) t.onceWritten(() => begin([claim]))
    return claim
  })
}

/** Row, input and first events of a run that is queued, or that has begun at once and is in the quota. */
export async function insertRun(t: Transaction, watchers: Watchers, run: Run): Promise<void> {
  const begun = run.status === 'running'
  const events: (NewRunEvent & { at?: string })[] = [{ type: 'status', data: { status: 'queued' } }]
  if (begun) events.push({ type: 'status', data: { status: 'running', attempt: run.attempt }, at: run.started_at! })
  await t.query(
    `INSERT INTO runs (id, tenant, skill, stage, deployment, version, status, attempt, cancel_requested, replay_of, scheduled_for,
     created_by, created_at, started_at, queue_ms, seq, counted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    run.id,
    run.tenant,
    run.skill,
    run.stage,
    run.deployment,
    run.version,
    run.status,
    run.attempt,
    bit(run.cancel_requested),
    run.replay_of,
    run.scheduled_for,
    run.created_by,
    run.created_at,
    run.started_at,
    run.queue_ms,
    events.length,
    bit(begun),
  )
  await t.query('INSERT INTO run_inputs (run, body) VALUES (?, ?)', run.id, jsonText(run.input))
  await writeEvents(t, watchers, run, events.length, events, run.created_at)
}
