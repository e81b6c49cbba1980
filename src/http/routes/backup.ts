import { z } from 'zod'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

export const backupRoutes = ({ backups }: Pick<Services, 'backups'>): Route[] => [
  route({
    id: 'createBackup',
    tag: 'operator',
    method: 'POST',
    path: '/api/backup',
    access: 'state.backup',
    summary: 'Take all state of the server as a tar, while it goes on',
    description:
      'Everything that was acknowledged before is in it, of all tenants. What is read is whole only with its last member; ' +
      '`skillet backup` checks that, and `skillet restore` makes a data folder of it.',
    body: z.strictObject({
      keys: z.boolean().default(true).meta({
        description: 'With the keys that the data folder holds. Without the master key nothing can open the secrets.',
      }),
    }),
    bodyOptional: true,
    responses: {
      200: { description: 'docs/operations.md tells what is in it.', also: { 'application/x-tar': z.string() } },
    },
    errors: [],
    handle: async ({ caller, body, signal }) => ({
      status: 200,
      type: 'application/x-tar',
      stream: await backups.begin(caller, { keys: body.keys, signal: signal() }),
    }),
  }),
]
