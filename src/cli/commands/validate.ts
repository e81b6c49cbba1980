import { resolve } from 'node:path'
import { Command } from 'commander'
import { type Call, type Cli, action } from '../call.ts'
import { EXIT } from '../exit-codes.ts'
import { findingsText } from '../findings.ts'
import { packageName } from '../package-name.ts'
import { uploadFolder } from '../upload-folder.ts'

interface Options {
  readonly stage: string
  readonly skill?: string
}

export function validateCommand(cli: Cli): Command {
  return new Command('validate')
    .description('upload a package folder and show what the validator finds, without deploying it')
    .argument('[folder]', 'the package', '.')
    .option('--stage <name>', 'stage that holds the upload; what it serves does not change', 'dev')
    .option('--skill <name>', 'name of the skill; default: that of the manifest')
    .action(action<Options>(cli, (call, folder) => validate(call, resolve(call.io.cwd, folder))))
}

async function validate(call: Call<Options>, folder: string) {
  const { options, io } = call
  const skill = options.skill ?? (await packageName(folder))
  const upload = await uploadFolder(call.api(), { skill, stage: options.stage, folder }, call.progress, io.signal)
  const accepted = upload.state === 'accepted'
  const word = accepted ? call.paint('green', 'Accepted') : call.paint('red', 'Rejected')
  call.show(
    upload,
    () => `${findingsText(upload.findings, call.paint)}${word}: ${skill} ${upload.digest ?? ''}`.trimEnd() + '\n',
  )
  return accepted ? EXIT.ok : EXIT.rejected
}
