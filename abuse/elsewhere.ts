import type { AbuseCase } from './case.ts'

/** Why a case says nothing under another driver than bubblewrap; null where it does. */
export function elsewhere({ number }: Pick<AbuseCase, 'number'>, driver: string): string | null {
  return driver === 'runsc' ? (UNDER_GVISOR[number] ?? null) : null
}

/** What asks for facts of the machine's own kernel. */
const UNDER_GVISOR: Readonly<Record<number, string>> = {}
