import { isAbsolute } from 'node:path'
import { Command, Option } from 'commander'
import { type Call, type Cli, action } from '../call.ts'
import { mcpUrl } from '../mcp-url.ts'

interface Options {
  readonly transport: 'stdio' | 'http'
  readonly name: string
  readonly stage?: string
}

export function mcpConfigCommand(cli: Cli): Command {
  return new Command('config')
    .description('print what clients of MCP want to be configured with, as JSON; no key is in it')
    .addOption(
      new Option('--transport <kind>', 'start a bridge, or speak to the server itself')
        .choices(['stdio', 'http'])
        .default('stdio'),
    )
    .option('--name <name>', 'what the client calls the server', 'skillet')
    .option('--stage <name>', 'stage whose skills are served; default: prod')
    .action(action<Options>(cli, print))
}

function print(call: Call<Options>): void {
  const { transport, name, stage } = call.options
  const entry = transport === 'http' ? httpEntry(call, stage) : stdioEntry(call, stage)
  const config = { mcpServers: { [name]: entry } }
  call.show(config, () => `${JSON.stringify(config, null, 2)}\n`)
}

/** Clients put the variable's value in; where the key lies in a file, the variable has to be set from it. */
function httpEntry(call: Call<Options>, stage: string | undefined): object {
  const url = mcpUrl(call.connection().url, stage).href
  return { type: 'http', url, headers: { Authorization: 'Bearer ${SKILLET_KEY}' } }
}

function stdioEntry(call: Call<Options>, stage: string | undefined): object {
  const { url, source } = call.connection()
  const args = ['mcp', '--stdio', ...(stage === undefined ? [] : ['--stage', stage])]
  // The client starts it from wherever it is, so what is found from here is named.
  const file = isAbsolute(source.key)
  return {
    command: 'skillet',
    args: file ? [...args, '--url', url, '--key-file', source.key] : args,
    ...(!file && { env: { SKILLET_URL: url, SKILLET_KEY: '${SKILLET_KEY}' } }),
  }
}
