/** Schedules, webhooks, fair queues that can be paused, and events in the order of their tenant. */
export const flow: readonly string[] = [
  `ALTER TABLE tenants ADD COLUMN paused integer NOT NULL DEFAULT 0`,
  `ALTER TABLE tenants ADD COLUMN retention_days integer NOT NULL DEFAULT 30`,
  `ALTER TABLE stages ADD COLUMN paused integer NOT NULL DEFAULT 0`,
  `CREATE INDEX stages_paused ON stages (tenant, id) WHERE paused = 1`,

  // A run that a schedule began on a stage that serves nothing has no deployment: a column's NOT NULL goes with its table only.
  // That a deployment outlives its runs is seen to when it is removed: a foreign key would read all runs then, or cost each an index.
  ...['list', 'skill', 'stage', 'live', 'over', 'skill_over', 'stage_over', 'handed_back'].map(
    (name) => `DROP INDEX runs_${name}`,
  ),
  `ALTER TABLE runs RENAME TO runs_before`,
  `CREATE TABLE runs (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, skill {ascii} NOT NULL, stage {ascii} NOT NULL,
    deployment {ascii}, version text,
    status text NOT NULL, reason text, error text, attempt integer NOT NULL, cancel_requested integer NOT NULL,
    replay_of {ascii}, scheduled_for {ascii}, dead_letter integer NOT NULL DEFAULT 0, created_by {ascii} NOT NULL,
    created_at {ascii} NOT NULL, started_at {ascii}, finished_at {ascii}, session text, warm integer,
    queue_ms double precision, start_ms double precision, execution_ms double precision, usage text,
    billable_ms {big}, throttle text, seq integer NOT NULL, counted integer NOT NULL DEFAULT 0,
    retries integer NOT NULL DEFAULT 0){clustered}`,
  `INSERT INTO runs (id, tenant, skill, stage, deployment, version, status, reason, error, attempt, cancel_requested, replay_of,
    created_by, created_at, started_at, finished_at, session, warm, queue_ms, start_ms, execution_ms, usage, billable_ms, throttle,
    seq, counted)
    SELECT id, tenant, skill, stage, deployment, version, status, reason, error, attempt, cancel_requested, replay_of,
    created_by, created_at, started_at, finished_at, session, warm, queue_ms, start_ms, execution_ms, usage, billable_ms, throttle,
    seq, counted FROM runs_before`,
  `DROP TABLE runs_before`,
  `CREATE INDEX runs_list ON runs (tenant, id, skill, stage, created_by)`,
  `CREATE INDEX runs_skill ON runs (tenant, skill, id)`,
  `CREATE INDEX runs_stage ON runs (tenant, stage, id)`,
  // By status in two parts, so that each change of status touches one index or the other: few runs live, most are over.
  `CREATE INDEX runs_live ON runs (tenant, status, id) WHERE finished_at IS NULL`,
  `CREATE INDEX runs_over ON runs (tenant, status, id) WHERE finished_at IS NOT NULL`,
  `CREATE INDEX runs_skill_over ON runs (tenant, skill, status, id) WHERE finished_at IS NOT NULL`,
  `CREATE INDEX runs_stage_over ON runs (tenant, stage, status, id) WHERE finished_at IS NOT NULL`,
  // Runs that came back to the queue keep their place in the quota. There are few.
  `CREATE INDEX runs_handed_back ON runs (tenant) WHERE status = 'queued' AND counted = 1`,
  `CREATE INDEX runs_dead_letters ON runs (tenant, id) WHERE dead_letter = 1`,
  `CREATE INDEX runs_scheduled_live ON runs (stage) WHERE scheduled_for IS NOT NULL AND finished_at IS NULL`,

  // `n` counts through all tenants in the order of commits. Events that are no run's name their skill and stage themselves.
  `ALTER TABLE events RENAME TO events_before`,
  `CREATE TABLE events (
    n {serial}, tenant {ascii} NOT NULL, run {ascii}, seq integer, skill {ascii}, stage {ascii},
    type text NOT NULL, at {ascii} NOT NULL, data text NOT NULL)`,
  `INSERT INTO events (tenant, run, seq, type, at, data)
    SELECT runs.tenant, run, events_before.seq, type, at, data FROM events_before JOIN runs ON runs.id = run ORDER BY at, run, events_before.seq`,
  `DROP TABLE events_before`,
  `CREATE UNIQUE INDEX events_run ON events (run, seq)`,
  // Logs are read run by run only.
  `CREATE INDEX events_tenant ON events (tenant, n) WHERE type <> 'log'`,

  // One row per run that is not over. `state`: waiting, leased, later (from visible_at on), held (for another run of its schedule to end),
  // paused. `turn`: the place in the fair order. Instants in milliseconds since 1970; `token` is the fencing token of the last lease.
  `DROP INDEX queue_order`,
  `ALTER TABLE queue RENAME TO queue_before`,
  `CREATE TABLE queue (
    place {serial}, queue text NOT NULL, run {ascii} NOT NULL UNIQUE, tenant {ascii} NOT NULL, stage {ascii} NOT NULL,
    state text NOT NULL, turn {big} NOT NULL, enqueued_at {big} NOT NULL, visible_at {big} NOT NULL, token integer NOT NULL, trace text)`,
  `INSERT INTO queue (place, queue, run, tenant, stage, state, turn, enqueued_at, visible_at, token)
    SELECT place, queue, run, tenant, stage, CASE WHEN status = 'running' THEN 'leased' ELSE 'waiting' END,
    row_number() OVER (PARTITION BY queue, tenant ORDER BY place), enqueued_at, visible_at, token FROM queue_before JOIN runs ON runs.id = run`,
  `DROP TABLE queue_before`,
  `CREATE INDEX queue_waiting ON queue (queue, turn, place) WHERE state = 'waiting'`,
  `CREATE INDEX queue_due ON queue (queue, visible_at) WHERE state IN ('leased', 'later')`,
  `CREATE INDEX queue_tenant ON queue (tenant, queue, state, turn, enqueued_at)`,
  `CREATE INDEX queue_held ON queue (tenant, stage, place) WHERE state = 'held'`,
  `CREATE INDEX queue_paused ON queue (tenant, place) WHERE state = 'paused'`,

  // `spec` and `input` as JSON; lists do not read the second. `due` is null while nothing is to fire; else `instant` and, with jitter, the millisecond from which it does.
  `CREATE TABLE schedules (
    stage {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, skill {ascii} NOT NULL, spec text NOT NULL, input text NOT NULL, revision {big} NOT NULL,
    instant {big}, due {big}, created_by {ascii} NOT NULL, created_at {ascii} NOT NULL, updated_at {ascii} NOT NULL)`,
  `CREATE INDEX schedules_due ON schedules (due, stage) WHERE due IS NOT NULL`,
  `CREATE INDEX schedules_list ON schedules (tenant, stage)`,
  // Outlives its schedule: the key is what keeps an instant from being fired twice.
  `CREATE TABLE fires (
    stage {ascii} NOT NULL, scheduled_for {ascii} NOT NULL, tenant {ascii} NOT NULL, outcome text NOT NULL, run {ascii},
    missed_until {ascii}, fired_at {ascii} NOT NULL, PRIMARY KEY (stage, scheduled_for)){clustered}`,

  // `due`: before it no pending delivery of the endpoint is due; null: none is pending. It is what lets one endpoint's long line cost others nothing.
  `CREATE TABLE webhooks (
    stage {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, skill {ascii} NOT NULL, url text NOT NULL, secret {ascii} NOT NULL,
    events text NOT NULL, enabled integer NOT NULL, disabled_reason text, failing_since {ascii}, due {big}, revision {big} NOT NULL,
    created_by {ascii} NOT NULL, created_at {ascii} NOT NULL, updated_at {ascii} NOT NULL)`,
  `CREATE INDEX webhooks_secret ON webhooks (secret)`,
  `CREATE INDEX webhooks_due ON webhooks (due, stage, tenant) WHERE due IS NOT NULL`,
  // The outbox. `payload` is sent as it stands here; `attempts` as JSON, the last ones; `tries` counts them since it was last asked for;
  // `token` fences attempts as that of the queue does runs.
  `CREATE TABLE deliveries (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, skill {ascii} NOT NULL, stage {ascii} NOT NULL, run {ascii}, event text NOT NULL,
    status text NOT NULL, reason text, payload text NOT NULL, attempts text NOT NULL, tries integer NOT NULL DEFAULT 0, due {big},
    leased integer NOT NULL DEFAULT 0, token integer NOT NULL, created_at {ascii} NOT NULL, finished_at {ascii})`,
  `CREATE INDEX deliveries_due ON deliveries (stage, due) WHERE status = 'pending'`,
  `CREATE INDEX deliveries_list ON deliveries (tenant, id, skill, stage)`,
  `CREATE INDEX deliveries_stage ON deliveries (tenant, stage, id)`,
  // Nearly all are delivered.
  `CREATE INDEX deliveries_other ON deliveries (tenant, status, id) WHERE status <> 'delivered'`,
  `CREATE INDEX deliveries_run ON deliveries (run, id) WHERE run IS NOT NULL`,
]
