import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataFolderInUse, lockDataFolder } from './owner-lock.ts'

const SCRIPT = fileURLToPath(new URL('./fixtures/own.ts', import.meta.url))

interface Attempt {
  readonly child: ChildProcess
  readonly said: { pid: number; owns: boolean; message?: string; owner?: { pid: number } | null }
}

let folder: string
const children: ChildProcess[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-lock-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, 'SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

async function attempt(): Promise<Attempt> {
  const child = spawn(process.execPath, [SCRIPT, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, said: JSON.parse(line) as Attempt['said'] }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

test('a second process is refused and told who owns the folder', async () => {
  const first = await attempt()
  expect(first.said.owns).toBe(true)
  const second = await attempt()
  expect(second.said).toMatchObject({ owns: false, owner: { pid: first.said.pid } })
  expect(second.said.message).toContain(`process ${first.said.pid} since 20`)
  expect(second.said.message).toContain('own.ts')
  expect(second.said.message).toContain(folder)
})

test('of many that start at once exactly one owns the folder, again and again after kill -9', async () => {
  for (let round = 0; round < 3; round++) {
    const attempts = await Promise.all(Array.from({ length: 6 }, () => attempt()))
    const owners = attempts.filter(({ said }) => said.owns)
    expect(owners).toHaveLength(1)
    await end(owners[0]!.child, 'SIGKILL')
  }
})

test('the lock of a dead process is taken over, and its name with it', async () => {
  const first = await attempt()
  await end(first.child, 'SIGKILL')
  const owner = async () => JSON.parse(await readFile(join(folder, 'owner.json'), 'utf8')) as { pid: number }
  expect(await owner()).toMatchObject({ pid: first.said.pid })
  const lock = lockDataFolder(folder)
  expect(await owner()).toMatchObject({ pid: process.pid })
  lock.release()
})

test('the same process is refused too, and a refusal does not loosen the lock', async () => {
  const lock = lockDataFolder(folder)
  expect(() => lockDataFolder(folder)).toThrow(DataFolderInUse)
  const other = await attempt()
  expect(other.said).toMatchObject({ owns: false, owner: { pid: process.pid } })
  lock.release()
  lock.release()
  expect((await attempt()).said.owns).toBe(true)
})
