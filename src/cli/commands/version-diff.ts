import { Command } from 'commander'
import type { VersionDiff } from '../../skills/shapes.ts'
import { type Cli, action } from '../call.ts'
import { cleanJson, cleanText } from '../clean-text.ts'
import { VERSION_ARGUMENT } from './version-show.ts'

export function versionDiffCommand(cli: Cli): Command {
  return new Command('diff')
    .description('show what is different between two versions: files, frontmatter, permissions, schemas')
    .argument('<skill>', 'name or id')
    .argument('<from>', VERSION_ARGUMENT[1])
    .argument('<to>', VERSION_ARGUMENT[1])
    .action(
      action(cli, async (call, skill, from, to) => {
        const diff = await call.api().diffVersions(skill, from, to)
        call.show(diff, () => diffText(skill, diff))
      }),
    )
}

function diffText(skill: string, diff: VersionDiff): string {
  const { from, to, files, frontmatter, permissions, changes, change_level } = diff
  const parts = [
    ['files', [...marked('+', files.added), ...marked('-', files.removed), ...marked('~', files.changed)]],
    ['frontmatter', members(frontmatter)],
    ['permissions', members(permissions)],
    ['schemas', changes.map(({ level, path, what }) => `  ${level}  ${cleanText(path)}  ${cleanText(what)}`)],
  ] as const
  const sections = parts.flatMap(([title, lines]) => (lines.length === 0 ? [] : [title, ...lines]))
  const same = sections.length === 0 ? ['They are the same.'] : sections
  const level = from.digest === to.digest ? '' : `: for callers a ${change_level} change`
  return `${skill} ${from.version} -> ${to.version}${level}\n${same.join('\n')}\n`
}

/** On one line. */
const valueText = (value: unknown): string =>
  value === undefined ? '(nothing)' : cleanJson(value).replaceAll(/\n\s*/g, ' ')

const marked = (mark: string, rows: readonly { path: string }[]): string[] =>
  rows.map(({ path }) => `  ${mark} ${cleanText(path)}`)

const members = (rows: VersionDiff['frontmatter']): string[] =>
  rows.map(({ key, from, to }) => `  ${cleanText(key)}: ${valueText(from)} -> ${valueText(to)}`)
