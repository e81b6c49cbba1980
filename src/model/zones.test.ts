import { describe, expect, test } from 'vitest'
import { requireZone } from './zones.ts'

describe('zones', () => {
  test.each(['UTC', 'Asia/Kolkata', 'US/Eastern', 'Europe/Berlin', 'Pacific/Apia', 'Etc/GMT+5'])('%s is one', (zone) =>
    requireZone(zone),
  )

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
