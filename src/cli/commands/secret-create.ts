import { Command, Option } from 'commander'
import { SecretKind } from '../../model/secrets.ts'
import { type Cli, action } from '../call.ts'
import { type ValueOptions, readSecretValue, takeValue } from '../secret-value.ts'

interface Options extends ValueOptions {
  readonly kind: SecretKind
}

export function secretCreateCommand(cli: Cli): Command {
  const command = new Command('create')
    .description('make a secret; its value is asked for, or comes from stdin or a file, and is never shown')
    .argument('<name>', 'letters, digits, "_", "." and "-"')
    .addOption(
      new Option('--kind <kind>', 'connection: a URL, which skills get in its parts as well')
        .choices(SecretKind.options)
        .default('value'),
    )
  return takeValue(command).action(
    action<Options>(cli, async (call, name) => {
      const api = call.api()
      const value = await readSecretValue(call, name)
      const secret = await api.createSecret({ name, kind: call.options.kind, value })
      call.show(
        secret,
        () =>
          `${name} (${secret.id}) was made. To use it: skillet stage config <skill> <stage> --secret NAME=${name}\n`,
      )
    }),
  )
}
