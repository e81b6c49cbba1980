import type { Profile } from '../packages/profiles/profile.ts'
import type { ZipLayout } from './download-version.ts'

/** Where a zip of a skill can be taken: by whose demands it is measured there, and how its files have to lie in it (docs/surfaces.md). */
export const SURFACES = {
  'claude-ai': { profile: 'claude-api', layout: 'folder' },
  'claude-api': { profile: 'claude-api', layout: 'folder' },
  'claude-code': { profile: 'claude-code', layout: 'folder' },
  'agent-sdk': { profile: 'claude-code', layout: 'folder' },
  openai: { profile: 'spec', layout: 'folder' },
  'well-known': { profile: 'spec', layout: 'root' },
} as const satisfies Record<string, { readonly profile: Profile; readonly layout: ZipLayout }>

export type Surface = keyof typeof SURFACES
