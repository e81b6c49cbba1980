/** What removing old things is found by: blobs by who refers to them, and everything by its age, so that no table is ever read whole. */
export const upkeep: readonly string[] = [
  // Without the order of their key: where that is kept in the rows themselves, SQLite reads the whole of each row that it compares with on
  // its way to one, and a row may have megabytes.
  ...['run_inputs', 'run_outputs'].flatMap((table) => [
    `ALTER TABLE ${table} RENAME TO ${table}_before`,
    `CREATE TABLE ${table} (run {ascii} PRIMARY KEY, body text NOT NULL)`,
    `INSERT INTO ${table} (run, body) SELECT run, body FROM ${table}_before`,
    `DROP TABLE ${table}_before`,
  ]),

  `ALTER TABLE packages ADD COLUMN archive_blob {ascii}`,
  `ALTER TABLE packages ADD COLUMN bundle_blob {ascii}`,
  `UPDATE packages SET archive_blob = body{json} ->> 'archive_blob', bundle_blob = body{json} ->> 'bundle_blob'`,
  `CREATE INDEX packages_archive ON packages (archive_blob)`,
  `CREATE INDEX packages_bundle ON packages (bundle_blob)`,

  `ALTER TABLE deployments ADD COLUMN skill {ascii}`,
  `ALTER TABLE deployments ADD COLUMN bundle_blob {ascii}`,
  `UPDATE deployments SET skill = body{json} ->> 'skill', bundle_blob = body{json} ->> 'bundle_blob'`,
  `CREATE INDEX deployments_skill ON deployments (skill)`,
  `CREATE INDEX deployments_bundle ON deployments (bundle_blob)`,
  `CREATE INDEX activations_deployment ON activations (deployment)`,

  `CREATE INDEX uploads_list ON uploads (tenant, id)`,
  `CREATE INDEX uploads_skill ON uploads (skill)`,
  `CREATE INDEX uploads_digest ON uploads (tenant, digest) WHERE digest IS NOT NULL`,
  `CREATE INDEX versions_digest ON versions (tenant, digest)`,
  `CREATE INDEX skills_deleted ON skills (tenant, id) WHERE deleted_at IS NOT NULL`,

  `CREATE INDEX fires_age ON fires (tenant, fired_at)`,
  // Those of runs go with their runs.
  `CREATE INDEX events_apart ON events (tenant, n) WHERE run IS NULL`,
]
