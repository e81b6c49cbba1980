import { describe, expect, test } from 'vitest'
import { createCursorSeal } from './cursor-seal.ts'

const seal = createCursorSeal(Buffer.from('a secret of this installation'))
const cursorOf = (n: number): string => n.toString(36).padStart(10, '0')

describe('cursors as callers see them', () => {
  test('lead back to where they came from, also after a restart', () => {
    for (const n of [0, 1, 35, 36, 1_000_000, 3_000_000_000_000_000]) {
      const sealed = seal.seal('tenant_1', cursorOf(n))
      expect(createCursorSeal(Buffer.from('a secret of this installation')).open('tenant_1', sealed)).toBe(cursorOf(n))
      expect(seal.seal('tenant_1', cursorOf(n))).toBe(sealed)
    }
  })

  test('do not tell how many lie between two of them, or whether others have the same', () => {
    const texts = Array.from({ length: 1000 }, (_, n) => seal.seal('tenant_1', cursorOf(1000 + n)))
    expect(new Set(texts.map((text) => text.slice(0, 5))).size).toBeGreaterThan(990)
    expect(seal.seal('tenant_2', cursorOf(1000))).not.toBe(texts[0])
  })

  const mine = seal.seal('tenant_1', cursorOf(7))
  test.each([
    ['of another tenant', seal.seal('tenant_2', cursorOf(7))],
    ['of another installation', createCursorSeal(Buffer.from('another')).seal('tenant_1', cursorOf(7))],
    ['as the state has it', cursorOf(7)],
    ['made up', 'A'.repeat(22)],
    ['with more behind it', `${mine}A`],
    ['with something that is no letter', `${mine.slice(0, 21)}=`],
    ['nothing', ''],
  ])('one %s is refused', (_what, text) =>
    expect(() => seal.open('tenant_1', text)).toThrow(expect.objectContaining({ code: 'bad_request' })),
  )
})
