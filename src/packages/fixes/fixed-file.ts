import type { SkillDocument } from '../manifest/skill-document.ts'
import type { Change } from './edits.ts'

/** A file before and after it was mended. */
export interface FixedFile {
  readonly path: string
  readonly before: Uint8Array
  readonly after: Uint8Array
  readonly changes: readonly Change[]
}

/** A SKILL.md as it stands, and what the profile finds fault with in it. */
export interface Reading {
  readonly document: SkillDocument
  readonly found: ReadonlySet<string>
}
