import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlaces } from './places.ts'

test.skipIf(process.getuid!() !== 0)(
  'a root server that starts leaves alone what is no place of a server, such as the data folder of another',
  async () => {
    // Where the systemd unit keeps its data: beside the places of root servers.
    const data = `/var/lib/skillet/data-${process.pid}`
    const dir = await mkdtemp(join(tmpdir(), 'skillet-places-'))
    try {
      await mkdir(data, { recursive: true })
      await writeFile(join(data, 'state'), 'all of it')
      await utimes(data, 0, 0)
      const places = await openPlaces(dir)
      await places.close()
      await rm(places.root, { recursive: true, force: true })
      expect(existsSync(join(data, 'state'))).toBe(true)
    } finally {
      await rm(data, { recursive: true, force: true })
      await rm(dir, { recursive: true, force: true })
    }
  },
)
