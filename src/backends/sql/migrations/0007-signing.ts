/** Keys under which tenants sign their versions. Their private halves are in the vault, at `path`, as its revision 1. */
export const signing: readonly string[] = [
  `CREATE TABLE signing_keys (
    id {ascii} NOT NULL, tenant {ascii} NOT NULL, public_key text NOT NULL, path text NOT NULL, revision integer NOT NULL,
    created_at {ascii} NOT NULL, retired_at {ascii}, PRIMARY KEY (tenant, id))`,
  `CREATE UNIQUE INDEX signing_keys_active ON signing_keys (tenant) WHERE retired_at IS NULL`,
  `CREATE UNIQUE INDEX signing_keys_path ON signing_keys (path)`,
]
