import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RunningServer, startServer } from '../../src/server.ts'

let dataDir: string
let server: RunningServer
const log: string[] = []
const start = async (): Promise<void> => {
  server = await startServer({ dataDir, port: 0, log: (entry) => void log.push(JSON.stringify(entry)) })
}
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skillet-keys-e2e-'))
  await start()
})
afterEach(async () => {
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
})

const status = async (path: string, key: string): Promise<number> =>
  (await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${key}` } })).status

test('a server starts without the files of its keys, whose keys go on working, and logs none of them', async () => {
  const { key, operatorKey } = server
  const works = async () => [await status('/api/skills', key!), await status('/api/tenants', operatorKey!)]
  expect(await works()).toEqual([200, 200])
  await server.stop()
  await Promise.all(['owner.key', 'operator.key'].map((file) => rm(join(dataDir, file))))
  await start()
  expect(server).toMatchObject({ key: null, operatorKey: null, firstStart: false })
  expect(await works()).toEqual([200, 200])
  for (const secret of [key!, operatorKey!]) expect(log.join('\n')).not.toContain(secret)
})
