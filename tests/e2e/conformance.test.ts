import { afterAll, beforeAll, expect, test } from 'vitest'
import { startKeyProxy } from '../../conformance/key-proxy.ts'
import { runSuite } from '../../conformance/run-suite.ts'
import { deploySamples } from '../../conformance/samples.ts'
import type { Revision } from '../../conformance/scenarios.ts'
import { TestServer } from './harness.ts'

let server: TestServer
let proxy: Awaited<ReturnType<typeof startKeyProxy>>
beforeAll(async () => {
  server = await TestServer.start()
  await deploySamples(server)
  proxy = await startKeyProxy(server.url, server.key)
})
afterAll(async () => {
  await proxy.close()
  await server.stop()
})

/** With the scenarios that matter most: they are not to become "not applicable" by accident. */
test.each<[Revision, string[]]>([
  ['2026-07-28', ['server-stateless', 'http-header-validation', 'dns-rebinding-protection', 'caching', 'tools-list']],
  ['2025-11-25', ['server-initialize', 'dns-rebinding-protection', 'tools-list', 'tools-call-error']],
  [
    'extensions',
    ['sep-2640-skills-enumeration', 'sep-2640-skills-manifest', 'sep-2640-skills-directory', 'tasks-lifecycle'],
  ],
])('the official suite finds nothing wrong with what applies of %s', async (revision, scenarios) => {
  const rows = await runSuite(`${proxy.url}/mcp`, revision)
  expect(rows.filter(({ verdict }) => verdict === 'failed')).toEqual([])
  const passed = rows.filter(({ verdict }) => verdict === 'passed').map(({ scenario }) => scenario)
  expect(passed).toEqual(expect.arrayContaining(scenarios))
})
