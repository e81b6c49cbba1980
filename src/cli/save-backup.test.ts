import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BackedUpState } from '../upkeep/fixtures/backed-up-state.ts'
import { saveBackup } from './save-backup.ts'

let state: BackedUpState
let file: string
beforeEach(async () => {
  state = await BackedUpState.make()
  await state.fill()
  file = join(state.root, 'saved.tar')
})
afterEach(() => state.remove())

const ignore = (): void => {}

test('a backup is kept as it came, private, over what a broken one left', async () => {
  const whole = await readFile(await state.backup())
  await writeFile(`${file}.part`, 'half')
  const shares: number[] = []
  const { bytes } = await saveBackup(inChunks(whole), file, (done, of) => shares.push(done / of))
  expect(bytes).toBe(whole.length)
  expect((await readFile(file)).equals(whole)).toBe(true)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(shares.at(-1)).toBe(1)
  await expect(saveBackup(inChunks(whole), file, ignore)).rejects.toThrow('cannot be written')
  expect((await readdir(state.root)).toSorted()).toEqual(['backup.tar', 'data', 'saved.tar'])
})

test.each<[string, (whole: Buffer) => AsyncIterable<Uint8Array>, string]>([
  ['that breaks off', (whole) => failing(whole.subarray(0, 300_000)), 'the connection broke'],
  ['that ends too early', (whole) => inChunks(whole.subarray(0, 300_000)), 'it was cut off'],
  ['in which something changed', (whole) => inChunks(Buffer.from(whole).fill(1, 200_000, 200_010)), 'damaged'],
])('of a backup %s nothing is kept', async (_, source, said) => {
  const whole = await readFile(await state.backup())
  await expect(saveBackup(source(whole), file, ignore)).rejects.toThrow(said)
  expect((await readdir(state.root)).toSorted()).toEqual(['backup.tar', 'data'])
})

async function* inChunks(data: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += 10_000) yield data.subarray(at, at + 10_000)
}

async function* failing(data: Buffer): AsyncGenerator<Uint8Array> {
  yield* inChunks(data)
  throw new Error('the connection broke')
}
