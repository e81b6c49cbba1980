import { Command } from 'commander'
import { type Call, type Cli, action } from '../call.ts'
import { usageError } from '../cli-error.ts'
import { mcpUrl } from '../mcp-url.ts'
import { mcpConfigCommand } from './mcp-config.ts'

interface Options {
  readonly stdio?: boolean
  readonly stage?: string
}

export function mcpCommand(cli: Cli): Command {
  return new Command('mcp')
    .description('let local clients of MCP speak to the server: started by them with --stdio')
    .option('--stdio', 'pass messages between stdin, stdout and the server')
    .option('--stage <name>', 'stage whose skills are served; default: prod')
    .action(action<Options>(cli, serveStdio))
    .addCommand(mcpConfigCommand(cli))
}

async function serveStdio(call: Call<Options>): Promise<void> {
  const { io, options } = call
  if (options.stdio !== true) {
    throw usageError(
      '"skillet mcp" is started by clients.',
      'Let them run "skillet mcp --stdio"; see "skillet mcp config".',
    )
  }
  const { bridge } = await import('../mcp-bridge.ts')
  const target = () => {
    const { url, key } = call.connection()
    return { url: mcpUrl(url, options.stage), key }
  }
  // Whoever is told that there is no server need not find out by their first message.
  target()
  await bridge({ input: io.stdin, output: io.out, target, signal: io.signal })
}
