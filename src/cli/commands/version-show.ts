import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { cleanText } from '../clean-text.ts'
import { bytes, table } from '../table.ts'

/** For every command that takes one. */
export const VERSION_ARGUMENT = [
  '<version>',
  'its number, id, "latest", or the name of a stage that serves it',
] as const

export function versionShowCommand(cli: Cli): Command {
  return new Command('show')
    .description('show a version: what its package says, and its files')
    .argument('<skill>', 'name or id')
    .argument(...VERSION_ARGUMENT)
    .action(
      action(cli, async (call, skill, name) => {
        const api = call.api()
        const version = await api.findVersion(skill, name)
        const { items: files } = await api.versionFiles(skill, version.id)
        call.show({ ...version, files }, () => {
          const { format, runtime, description } = version.package
          const rows = files.map(({ path, size, executable, sha256 }) => [
            cleanText(path),
            bytes(size),
            executable ? 'x' : null,
            sha256.slice(0, 12),
          ])
          return [
            `${call.paint('bold', version.package.name)} ${version.version}, the skill's number ${version.sequence}`,
            cleanText(description),
            `id       ${version.id}`,
            `made     ${version.created_at} by ${version.created_by}`,
            `format   ${format}, runs on ${runtime}`,
            `digest   ${version.digest}`,
            '',
            table(['FILE', 'SIZE', 'X', 'SHA-256'], rows),
          ].join('\n')
        })
      }),
    )
}
