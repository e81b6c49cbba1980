import { Command } from 'commander'
import { type Cli, action } from '../call.ts'
import { type ValueOptions, readSecretValue, takeValue } from '../secret-value.ts'

export function secretUpdateCommand(cli: Cli): Command {
  const command = new Command('update')
    .description('give a secret a new value; runs that begin from then on get it, without a deploy')
    .argument('<secret>', 'name or id')
  return takeValue(command).action(
    action<ValueOptions>(cli, async (call, name) => {
      const api = call.api()
      const secret = await api.updateSecret(name, await readSecretValue(call, name))
      call.show(secret, () => `${secret.name} has a new value: revision ${secret.revision}.\n`)
    }),
  )
}
