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

test.skipIf(process.getuid!() !== 0)(
  'servers that start at once leave each other’s places alone, however often one of them starts on its folder',
  async () => {
    const [mine, others] = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'skillet-places-'))))
    const roots = new Set<string>()
    const start = async (folder: string): Promise<void> => {
      const places = await openPlaces(folder)
      roots.add(places.root)
      expect(existsSync(places.bundles), 'nobody took it for that of a folder that is gone').toBe(true)
      await places.close()
    }
    try {
      await start(mine!)
      // As one that is killed while it writes leaves it.
      await writeFile(join([...roots][0]!, 'data-folder'), '')
      await start(others!)
      expect(existsSync(join([...roots][0]!, 'bundles'))).toBe(true)
      for (let i = 0; i < 5; i++) await Promise.all([start(mine!), start(others!)])
    } finally {
      for (const path of [...roots, mine!, others!]) await rm(path, { recursive: true, force: true })
    }
  },
)
