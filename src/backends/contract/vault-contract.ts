import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Vault } from '../access-ports.ts'

/** What every Vault backend must do. */
export function vaultContract(backend: string, open: () => Promise<{ vault: Vault; close(): Promise<void> }>): void {
  describe(`vault: ${backend}`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    test.each([
      ['text', 'hunter2'],
      ['one character', 'x'],
      ['more than ASCII, and line ends', 'größer\r\n✓ 𝕏\n'],
      ['as much as there may be', 'é'.repeat(32_768)],
    ])('gives back what it was given: %s', async (_, value) => {
      const { vault } = opened
      await vault.put('agent-runner/test/a', 1, value)
      expect(await vault.get('agent-runner/test/a', 1)).toBe(value)
    })

    test('a value belongs to its path and its revision; the same ones again replace it', async () => {
      const { vault } = opened
      await vault.put('a', 1, 'a1')
      await vault.put('a', 2, 'a2')
      await vault.put('b', 1, 'b1')
      await vault.put('a', 2, 'a2, once more')
      expect(await Promise.all([vault.get('a', 1), vault.get('a', 2), vault.get('b', 1)])).toEqual([
        'a1',
        'a2, once more',
        'b1',
      ])
      await expect(vault.get('a', 3)).rejects.toThrow('no revision 3 of "a"')
      await expect(vault.get('c', 1)).rejects.toThrow('no revision 1 of "c"')
    })

    test('prunes all revisions but one, or all, of one path', async () => {
      const { vault } = opened
      for (const revision of [1, 2, 3]) await vault.put('a', revision, `a${revision}`)
      await vault.put('b', 1, 'b1')
      await vault.prune('a', 2)
      await expect(vault.get('a', 1)).rejects.toThrow('no revision')
      await expect(vault.get('a', 3)).rejects.toThrow('no revision')
      expect(await vault.get('a', 2)).toBe('a2')
      await vault.prune('a', null)
      await vault.prune('a', null)
      await expect(vault.get('a', 2)).rejects.toThrow('no revision')
      expect(await vault.get('b', 1)).toBe('b1')
    })

    test('says that it works, empty or not', async () => {
      const { vault } = opened
      await vault.check()
      await vault.put('a', 1, 'a1')
      await vault.check()
    })
  })
}
