import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'

const CLI = new URL('../../src/cli/main.ts', import.meta.url).pathname

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-doctor-e2e-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A number that is far from the others: those that come right after the three streams Node itself does not pass on. */
const WITH_FILE =
  'import os, sys; os.dup2(os.open("/etc/passwd", os.O_RDONLY), 200); os.execv(sys.argv[1], sys.argv[1:])'

test('where no server runs the doctor finds what one would find, whatever files whoever asks has open', async () => {
  const doctor = [process.execPath, CLI, 'doctor', '--json', '--data', join(folder, 'none')]
  const child = spawn('/usr/bin/python3', ['-c', WITH_FILE, ...doctor], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [out] = await Promise.all([text(child.stdout), once(child, 'exit')])
  const { server, checks } = JSON.parse(out) as { server: null; checks: { name: string; ok: boolean }[] }
  expect(server).toBe(null)
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
  expect(checks).toContainEqual({ name: 'inherited descriptors', ok: true, message: 'none', fix: null })
})
