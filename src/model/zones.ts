import { SkilletError } from './errors.ts'

/**
 * By the zones that this very process computes with: what `Intl.supportedValuesOf` lists lacks UTC and Asia/Kolkata. Offsets such as +01:00,
 * which it computes with as well, are no zones.
 * @returns Its one name. To be kept instead of what was said: a zone has thousands of spellings (case, links), and whatever computes with zones
 *   keeps some hundred kilobytes for each.
 * @throws SkilletError zone_unknown
 */
export function requireZone(zone: string): string {
  try {
    if (!/^[A-Za-z]/.test(zone)) throw new RangeError('It is an offset.')
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new SkilletError('zone_unknown', `"${zone}" is not a time zone that is known here.`, { cause: error })
  }
}
