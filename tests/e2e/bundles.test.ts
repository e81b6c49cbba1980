import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlaces } from '../../src/runtime/bwrap/places.ts'
import { TestServer, python } from './harness.ts'

test('a skill whose unpacked bundle was removed as nobody used it works again', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'skillet-bundles-'))
  let server: TestServer | null = await TestServer.start({ dataDir })
  try {
    await server.deploy('echo', python('echo', 'def handler(input: dict) -> dict:\n    return input\n'), { size: 'S' })
    expect((await server.run('echo', { a: 1 })).output).toEqual({ a: 1 })
    await server.stop()
    server = null

    const places = await openPlaces(dataDir)
    await places.close()
    const [bundle, note, ...others] = (await readdir(places.bundles)).toSorted()
    expect([note, ...others]).toEqual([`${bundle}.size`])
    const dayAgo = Date.now() / 1000 - 86_401
    await utimes(join(places.bundles, note!), dayAgo, dayAgo)

    server = await TestServer.start({ dataDir })
    await server.until(
      () => readdir(places.bundles),
      (names) => names.length === 0,
    )
    const again = await server.run('echo', { a: 2 })
    expect(again.output).toEqual({ a: 2 })
    expect(await readdir(places.bundles)).toContain(bundle)
  } finally {
    await server?.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
})
