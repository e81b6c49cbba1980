/** URLs through which skills are fetched without a key. Of a token only its SHA-256 is kept. */
export const links: readonly string[] = [
  `CREATE TABLE links (
    id {ascii} PRIMARY KEY, tenant {ascii} NOT NULL, hash {ascii} NOT NULL, name text NOT NULL, prefix {ascii} NOT NULL, stage text NOT NULL,
    skills text NOT NULL, created_by text NOT NULL, created_at {ascii} NOT NULL, expires_at {ascii}, last_used_at {ascii}, revoked_at {ascii})`,
  `CREATE UNIQUE INDEX links_hash ON links (hash)`,
  `CREATE INDEX links_tenant ON links (tenant, id)`,
]
