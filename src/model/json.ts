import { z } from 'zod'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Any JSON value; for fields that carry tenants' data through untouched. */
export const AnyJson = z.unknown().meta({ description: 'Any JSON value' })
/** A JSON object; for schemas and inputs. */
export const AnyObject = z.record(z.string(), z.unknown())

/** RFC 3339 in UTC with milliseconds: how every instant is written, stored and compared. */
export const Instant = z.iso.datetime().meta({ description: 'RFC 3339, UTC', example: '2026-11-21T08:00:00.000Z' })

export function now(at: number = Date.now()): string {
  // Asked many times in one millisecond.
  if (at !== last.at) last = { at, text: new Date(at).toISOString() }
  return last.text
}

let last = { at: 0, text: new Date(0).toISOString() }
