/** What agents find: versions in the order in which they were made, those that were withdrawn, and archives made of packages. */
export const catalogue: readonly string[] = [
  `ALTER TABLE skills ADD COLUMN display_name text`,
  `ALTER TABLE tenants ADD COLUMN audience text NOT NULL DEFAULT 'tenant'`,

  `ALTER TABLE versions ADD COLUMN sequence integer NOT NULL DEFAULT 0`,
  `UPDATE versions SET sequence = (SELECT count(*) FROM versions AS other WHERE other.skill = versions.skill AND other.id <= versions.id)`,
  `CREATE UNIQUE INDEX versions_sequence ON versions (skill, sequence)`,

  // A number that was given is never given again.
  `CREATE TABLE withdrawn_versions (
    skill {ascii} NOT NULL, sequence integer NOT NULL, id {ascii} NOT NULL, tenant {ascii} NOT NULL, version text NOT NULL,
    rank {ascii} NOT NULL, digest {ascii} NOT NULL, withdrawn_at {ascii} NOT NULL, PRIMARY KEY (skill, sequence))`,

  `ALTER TABLE deployments ADD COLUMN version text`,
  `ALTER TABLE deployments ADD COLUMN digest {ascii}`,
  `UPDATE deployments SET version = body{json} ->> 'version', digest = body{json} ->> 'digest'`,

  // What a catalogue says of a package; null where it was kept before catalogues were.
  `ALTER TABLE packages ADD COLUMN summary text`,
  `CREATE INDEX stages_served ON stages (tenant, name, skill) WHERE deployment IS NOT NULL`,

  `CREATE TABLE archives (
    tenant {ascii} NOT NULL, digest {ascii} NOT NULL, layout text NOT NULL, sha256 {ascii} NOT NULL, size {big} NOT NULL,
    PRIMARY KEY (tenant, digest, layout))`,
  `CREATE INDEX archives_blob ON archives (sha256)`,
]
