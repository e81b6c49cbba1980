import type { AccessStore } from '../access-ports.ts'
import type { Database } from './database.ts'
import { createGrantStore } from './grant-store.ts'
import { createKeyStore } from './key-store.ts'
import { createTenantStore } from './tenant-store.ts'

export function createAccessStore(db: Database): AccessStore {
  return { ...createTenantStore(db), ...createKeyStore(db), ...createGrantStore(db) }
}
