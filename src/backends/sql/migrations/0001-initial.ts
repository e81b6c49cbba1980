/** Ids sort by time, so that `id DESC` is newest first. Whatever is only ever read whole is one JSON text. */
export const initial: readonly string[] = [
  `CREATE TABLE tenants (id {ascii} PRIMARY KEY, name text NOT NULL, created_at {ascii} NOT NULL)`,
  `CREATE TABLE api_keys (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL REFERENCES tenants (id), role text NOT NULL, name text NOT NULL,
    prefix text NOT NULL, hash {ascii} NOT NULL UNIQUE,
    created_at {ascii} NOT NULL, expires_at {ascii}, revoked_at {ascii})`,

  // Runs and versions outlive their skill: its row stays, its name is free again.
  `CREATE TABLE skills (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, name {ascii} NOT NULL, description text NOT NULL,
    created_at {ascii} NOT NULL, updated_at {ascii} NOT NULL, deleted_at {ascii})`,
  `CREATE UNIQUE INDEX skills_name ON skills (tenant, name) WHERE deleted_at IS NULL`,
  `CREATE INDEX skills_list ON skills (tenant, id) WHERE deleted_at IS NULL`,

  `CREATE TABLE stages (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, skill {ascii} NOT NULL REFERENCES skills (id), name {ascii} NOT NULL,
    state text NOT NULL, config text NOT NULL, upload {ascii}, deployment {ascii}, revision {big} NOT NULL,
    created_at {ascii} NOT NULL, updated_at {ascii} NOT NULL, UNIQUE (skill, name))`,

  `CREATE TABLE uploads (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, skill {ascii} NOT NULL REFERENCES skills (id), stage {ascii} NOT NULL,
    state text NOT NULL, size {big} NOT NULL, sha256 {ascii} NOT NULL, step text, findings text NOT NULL, digest {ascii},
    created_by {ascii} NOT NULL, created_at {ascii} NOT NULL, expires_at {ascii} NOT NULL, finished_at {ascii})`,
  `CREATE INDEX uploads_unfinished ON uploads (id) WHERE state IN ('received', 'validating')`,
  `CREATE INDEX uploads_pending ON uploads (stage) WHERE state = 'pending'`,

  `CREATE TABLE packages (tenant {ascii} NOT NULL, digest {ascii} NOT NULL, body text NOT NULL, PRIMARY KEY (tenant, digest))`,

  `CREATE TABLE versions (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, skill {ascii} NOT NULL REFERENCES skills (id), version text NOT NULL,
    rank {ascii} NOT NULL, digest {ascii} NOT NULL, created_by {ascii} NOT NULL, created_at {ascii} NOT NULL,
    UNIQUE (skill, version), UNIQUE (skill, digest))`,
  `CREATE INDEX versions_list ON versions (skill, rank)`,

  `CREATE TABLE deployments (id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, stage {ascii} NOT NULL, body text NOT NULL)`,
  `CREATE TABLE activations (
    stage {ascii} NOT NULL, revision {big} NOT NULL, tenant {ascii} NOT NULL,
    deployment {ascii} NOT NULL REFERENCES deployments (id), version text NOT NULL, kind text NOT NULL,
    actor {ascii} NOT NULL, at {ascii} NOT NULL, PRIMARY KEY (stage, revision))`,

  // Payloads lie apart: a status change must not rewrite megabytes of input. \`seq\` is the number of the last event.
  `CREATE TABLE runs (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, skill {ascii} NOT NULL, stage {ascii} NOT NULL,
    deployment {ascii} NOT NULL REFERENCES deployments (id), version text NOT NULL,
    status text NOT NULL, reason text, error text, attempt integer NOT NULL, cancel_requested integer NOT NULL,
    replay_of {ascii}, created_by {ascii} NOT NULL,
    created_at {ascii} NOT NULL, started_at {ascii}, finished_at {ascii}, session text, warm integer,
    queue_ms double precision, start_ms double precision, execution_ms double precision, usage text,
    seq integer NOT NULL){clustered}`,
  `CREATE INDEX runs_list ON runs (tenant, id)`,
  `CREATE INDEX runs_skill ON runs (tenant, skill, id)`,
  `CREATE INDEX runs_stage ON runs (tenant, stage, id)`,
  // By status in two parts, so that each change of status touches one index or the other: few runs live, most are over.
  `CREATE INDEX runs_live ON runs (tenant, status, id) WHERE finished_at IS NULL`,
  `CREATE INDEX runs_over ON runs (tenant, status, id) WHERE finished_at IS NOT NULL`,
  `CREATE INDEX runs_skill_over ON runs (tenant, skill, status, id) WHERE finished_at IS NOT NULL`,
  `CREATE INDEX runs_stage_over ON runs (tenant, stage, status, id) WHERE finished_at IS NOT NULL`,
  `CREATE TABLE run_inputs (run {ascii} PRIMARY KEY, body text NOT NULL){clustered}`,
  `CREATE TABLE run_outputs (run {ascii} PRIMARY KEY, body text NOT NULL){clustered}`,

  `CREATE TABLE events (
    run {ascii} NOT NULL, seq integer NOT NULL, type text NOT NULL, at {ascii} NOT NULL, data text NOT NULL,
    PRIMARY KEY (run, seq)){clustered}`,

  // One row per run that is not over. Instants in milliseconds since 1970; \`token\` is the fencing token of the last lease.
  `CREATE TABLE queue (
    place {serial}, queue text NOT NULL, run {ascii} NOT NULL UNIQUE, enqueued_at {big} NOT NULL,
    visible_at {big} NOT NULL, token integer NOT NULL)`,
  `CREATE INDEX queue_order ON queue (queue, visible_at, place)`,

  `CREATE TABLE idempotency (
    tenant {ascii} NOT NULL, key text NOT NULL, fingerprint {ascii} NOT NULL, run {ascii} NOT NULL,
    expires_at {ascii} NOT NULL, PRIMARY KEY (tenant, key))`,
  `CREATE INDEX idempotency_expiry ON idempotency (expires_at)`,
]
