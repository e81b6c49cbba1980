import type { AbuseCase } from './case.ts'
import { RESOURCES } from './cases/resources.ts'

/** All of them, in order of their numbers. */
export const CASES: readonly AbuseCase[] = [...RESOURCES].toSorted((a, b) => a.number - b.number)
