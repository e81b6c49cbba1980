/**
 * Whose demands a SKILL.md is measured by. `spec`: the open specification as its reference validator applies it. `claude-api`: uploads to
 * the Claude Skills API and claude.ai. `claude-code`: what Claude Code loads. `mcp`: the skills extension of MCP (SEP-2640) as its
 * TypeScript SDK checks it. `portable`: all of them at once.
 */
export const PROFILES = ['spec', 'claude-api', 'claude-code', 'mcp', 'portable'] as const
export type Profile = (typeof PROFILES)[number]

/** `upload`: what this server demands of what it is to run, and remarks on for the sake of others. */
export type RuleSet = 'upload' | Profile

/** `deny`: that surface refuses the skill or does not load it. `warn`: it works, but not as well as it could. */
export type Level = 'deny' | 'warn' | 'off'

export type Levels = Readonly<Record<RuleSet, Level>>

/** A rule whose weight depends on who asks. */
export interface ProfileRule {
  readonly why: string
  readonly fix: string
  readonly levels: Levels
}

type Row = readonly [upload: Level, spec: Level, claudeApi: Level, claudeCode: Level, mcp: Level, portable: Level]

export function rule(row: Row, why: string, fix: string): ProfileRule {
  const [upload, spec, claudeApi, claudeCode, mcp, portable] = row
  const levels = { upload, spec, 'claude-api': claudeApi, 'claude-code': claudeCode, mcp, portable }
  return { why, fix, levels }
}
