import { OPERATOR_TENANT } from '../../../model/access.ts'

/** Tenants with operators, grants, secrets, quotas with what was used of them, and the audit log. */
export const access: readonly string[] = [
  `ALTER TABLE tenants ADD COLUMN suspended integer NOT NULL DEFAULT 0`,
  `ALTER TABLE tenants ADD COLUMN zone text NOT NULL DEFAULT 'UTC'`,
  `CREATE UNIQUE INDEX tenants_name ON tenants (name)`,
  `INSERT INTO tenants (id, name, created_at) VALUES ('${OPERATOR_TENANT.id}', '${OPERATOR_TENANT.name}', '2026-01-01T00:00:00.000Z')`,
  `ALTER TABLE api_keys ADD COLUMN created_by {ascii}`,
  `ALTER TABLE api_keys ADD COLUMN last_used_at {ascii}`,
  `CREATE INDEX api_keys_list ON api_keys (tenant, id)`,

  // \`stages\` is a JSON array of names, or null. The skill '*' stands for all, also later ones.
  `CREATE TABLE grants (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL REFERENCES tenants (id), principal {ascii} NOT NULL, stages text,
    expires_at {ascii}, created_by {ascii} NOT NULL, created_at {ascii} NOT NULL)`,
  `CREATE INDEX grants_list ON grants (tenant, id)`,
  `CREATE INDEX grants_principal ON grants (tenant, principal)`,
  `CREATE TABLE grant_skills (grant_id {ascii} NOT NULL REFERENCES grants (id), skill {ascii} NOT NULL, PRIMARY KEY (grant_id, skill))`,
  `CREATE INDEX grant_skills_skill ON grant_skills (skill)`,
  // Whose runs a list may show is seen in its index: for whoever may see few of a million, the others' rows are not read.
  `DROP INDEX runs_list`,
  `CREATE INDEX runs_list ON runs (tenant, id, skill, stage, created_by)`,

  `CREATE TABLE secrets (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL REFERENCES tenants (id), name {ascii} NOT NULL, kind text NOT NULL,
    path {ascii} NOT NULL UNIQUE, revision integer NOT NULL, created_by {ascii} NOT NULL, created_at {ascii} NOT NULL,
    updated_at {ascii} NOT NULL, UNIQUE (tenant, name))`,
  // The embedded vault: each value under a data key of its own, which the master key wraps. All in base64.
  `CREATE TABLE vault (
    path {ascii} NOT NULL, revision integer NOT NULL, master {ascii} NOT NULL, wrapped text NOT NULL, sealed text NOT NULL,
    PRIMARY KEY (path, revision))`,
  `CREATE INDEX vault_master ON vault (master)`,

  // Caps as JSON. The scope is '' for the whole tenant, where \`ceiling\` is the operator's word, else the id of a skill.
  `CREATE TABLE quotas (tenant {ascii} NOT NULL, scope {ascii} NOT NULL, ceiling text, caps text, PRIMARY KEY (tenant, scope))`,
  // Of the present day and month. \`warned\` lists the caps and periods whose soft limit was told of, as JSON.
  `CREATE TABLE quota_used (
    tenant {ascii} NOT NULL, scope {ascii} NOT NULL,
    day {ascii} NOT NULL, day_runs {big} NOT NULL, day_ms {big} NOT NULL,
    month {ascii} NOT NULL, month_runs {big} NOT NULL, month_ms {big} NOT NULL,
    warned text NOT NULL, PRIMARY KEY (tenant, scope)){clustered}`,
  `CREATE TABLE usage (
    tenant {ascii} NOT NULL, day {ascii} NOT NULL, skill {ascii} NOT NULL, stage {ascii} NOT NULL,
    runs {big} NOT NULL, succeeded {big} NOT NULL, failed {big} NOT NULL, cancelled {big} NOT NULL, throttled {big} NOT NULL,
    billable_ms {big} NOT NULL, cpu_ms {big} NOT NULL, peak_memory_bytes {big} NOT NULL,
    PRIMARY KEY (tenant, day, skill, stage)){clustered}`,
  // \`counted\`: the run is in the quota already, and stays in it however often it is begun again.
  `ALTER TABLE runs ADD COLUMN counted integer NOT NULL DEFAULT 0`,
  `ALTER TABLE runs ADD COLUMN billable_ms {big}`,
  `ALTER TABLE runs ADD COLUMN throttle text`,
  // Runs that were handed back to the queue keep their place in the quota. There are nearly never any.
  `CREATE INDEX runs_handed_back ON runs (tenant) WHERE status = 'queued' AND counted = 1`,

  `CREATE TABLE audit (
    tenant {ascii} NOT NULL, seq {big} NOT NULL, at {ascii} NOT NULL, actor_kind text NOT NULL, actor {ascii} NOT NULL,
    action text NOT NULL, target_kind text NOT NULL, target {ascii} NOT NULL, outcome text NOT NULL, request_id {ascii}, client text,
    before {ascii}, after {ascii}, detail text NOT NULL, previous {ascii} NOT NULL, hash {ascii} NOT NULL,
    PRIMARY KEY (tenant, seq)){clustered}`,
  // The last row of each chain: rows that are cut off its end are missed by it.
  `CREATE TABLE audit_heads (tenant {ascii} PRIMARY KEY, seq {big} NOT NULL, hash {ascii} NOT NULL){clustered}`,
]
