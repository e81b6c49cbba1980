import { describe, expect, test } from 'vitest'
import { requireZone } from './zones.ts'

describe('zones', () => {
  test.each(['UTC', 'Asia/Kolkata', 'US/Eastern', 'Europe/Berlin', 'Pacific/Apia', 'Etc/GMT+5'])('%s is one', (zone) =>
    expect(requireZone(zone)).toMatch(/^[A-Z]/),
  )

  test('all spellings of a zone have one name', () => {
    expect(['europe/berlin', 'EUROPE/BERLIN', 'eUrOpE/bErLiN'].map((zone) => requireZone(zone))).toEqual(
      Array(3).fill('Europe/Berlin'),
    )
    expect(requireZone('asia/kolkata')).toBe(requireZone('Asia/Calcutta'))
    expect(requireZone(requireZone('US/Eastern'))).toBe('America/New_York')
  })

  test.each([
    '+02:00',
    '-0500',
    '02:00',
    '',
    'GMT+2',
    'UTC+1',
    'Berlin',
    'Europe/Atlantis',
    'Europe/Berlin\0',
    ' UTC',
    '\u2212 02',
  ])('%j is none', (zone) =>
    expect(() => requireZone(zone)).toThrow(
      expect.objectContaining({ code: 'zone_unknown', message: expect.stringContaining(`"${zone}"`) }),
    ),
  )
})
