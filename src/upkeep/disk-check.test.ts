import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { checkDisks } from './disk-check.ts'

test('less than the reserve on any of the disks is too little, and it is told on which', async () => {
  const { bavail, bsize } = await statfs(tmpdir())
  const folders = { 'the data folder': tmpdir(), 'the sandboxes': tmpdir() }
  expect(await checkDisks(folders, 0)).toMatch(/^[\d,]+ MiB left$/)
  const more = 2 * bavail * bsize
  await expect(checkDisks(folders, more)).rejects.toMatchObject({
    message: expect.stringMatching(/^The disk of the data folder has [\d,]+ MiB left/),
    fix: expect.stringContaining('Free some'),
  })
  // Where nothing can be stored, nothing is free.
  await expect(checkDisks({ 'the kernel': '/proc' })).rejects.toThrow('The disk of the kernel has 0 MiB left')
  await expect(checkDisks({ 'the data folder': '/nowhere/at/all' })).rejects.toThrow('ENOENT')
})
