import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Sample, summarise } from './stats.ts'

/** What this machine takes for nothing at all: read every other row against these. Milliseconds. */
export async function baseline(): Promise<{ spawn: Sample; fsync: Sample }> {
  return { spawn: await bareSpawn(100), fsync: bareFsync(200) }
}

async function bareSpawn(count: number): Promise<Sample> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const began = performance.now()
    await once(spawn('/bin/true', [], { stdio: 'ignore' }), 'exit')
    times.push(performance.now() - began)
  }
  return summarise(times)
}

function bareFsync(count: number): Sample {
  const folder = mkdtempSync(join(tmpdir(), 'skillet-bench-'))
  const file = openSync(join(folder, 'fsync'), 'w')
  const page = Buffer.alloc(8192, 1)
  const times: number[] = []
  try {
    for (let i = 0; i < count; i++) {
      const began = performance.now()
      writeSync(file, page, 0, page.length, 0)
      fdatasyncSync(file)
      times.push(performance.now() - began)
    }
  } finally {
    closeSync(file)
    rmSync(folder, { recursive: true })
  }
  return summarise(times)
}
