import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { filesInZip } from '../../packages/verify-files.ts'
import { type Call, type Cli, action } from '../call.ts'
import { writeNewFile } from '../new-file.ts'
import { signatureFileOf, signatureOf } from '../signature-file.ts'
import { requireSigned, verifiedText } from '../verify-download.ts'
import { VERSION_ARGUMENT } from './version-show.ts'

interface Options {
  readonly output?: string
}

export function versionDownloadCommand(cli: Cli): Command {
  return new Command('download')
    .description('take the files of a version as a zip, and its signature into a file beside it; both are checked')
    .argument('<skill>', 'name or id')
    .argument(...VERSION_ARGUMENT)
    .option('-o, --output <file>', 'a new file; default: <skill>-<number>.zip')
    .action(action<Options>(cli, download))
}

async function download(call: Call<Options>, skill = '', name = ''): Promise<void> {
  const api = call.api()
  const version = await api.findVersion(skill, name)
  const file = resolve(call.io.cwd, call.options.output ?? `${skill}-${version.version}.zip`)
  const beside = signatureFileOf(file)
  const { headers, bytes } = await api.downloadVersion(skill, version.id)
  const envelope = signatureOf(headers)
  const { items: keys } = await api.signingKeys()
  const verified = await writeNewFile(file, bytes, async (draft) =>
    requireSigned(file, await filesInZip(draft), envelope, keys),
  )
  try {
    await writeNewFile(beside, [Buffer.from(`${JSON.stringify(envelope)}\n`)], async () => {})
  } catch (error) {
    await rm(file)
    throw error
  }
  call.show({ file, signature: beside, ...verified }, () => verifiedText(file, verified))
}
