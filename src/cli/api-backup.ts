import type { Http } from './http.ts'

/** All state of the server. */
export const createBackupApi = ({ bytes }: Http) => ({
  /** As it comes: it is whole only when its reader finds it so. */
  backup: (options: { keys: boolean }): AsyncGenerator<Uint8Array, void> => bytes('POST', '/api/backup', options),
})
