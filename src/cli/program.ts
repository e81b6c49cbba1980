import { Command } from 'commander'
import type { Cli } from './call.ts'

/** All commands: noun then verb, except for the few that are used all day. In the order in which help lists them. */
const COMMANDS: Readonly<Record<string, () => Promise<(cli: Cli) => Command>>> = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  init: async () => (await import('./commands/init.ts')).initCommand,
  validate: async () => (await import('./commands/validate.ts')).validateCommand,
  deploy: async () => (await import('./commands/deploy.ts')).deployCommand,
  import: async () => (await import('./commands/import.ts')).importCommand,
  invoke: async () => (await import('./commands/invoke.ts')).invokeCommand,
  install: async () => (await import('./commands/install.ts')).installCommand,
  update: async () => (await import('./commands/update.ts')).updateCommand,
  uninstall: async () => (await import('./commands/uninstall.ts')).uninstallCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  events: async () => (await import('./commands/events.ts')).eventsCommand,
  run: async () => (await import('./nouns/run.ts')).runCommands,
  skill: async () => (await import('./nouns/skill.ts')).skillCommands,
  stage: async () => (await import('./nouns/stage.ts')).stageCommands,
  version: async () => (await import('./nouns/version.ts')).versionCommands,
  queue: async () => (await import('./nouns/queue.ts')).queueCommands,
  session: async () => (await import('./nouns/session.ts')).sessionCommands,
  'dead-letter': async () => (await import('./nouns/dead-letter.ts')).deadLetterCommands,
  schedule: async () => (await import('./nouns/schedule.ts')).scheduleCommands,
  secret: async () => (await import('./nouns/secret.ts')).secretCommands,
  webhook: async () => (await import('./nouns/webhook.ts')).webhookCommands,
  delivery: async () => (await import('./nouns/delivery.ts')).deliveryCommands,
  tenant: async () => (await import('./nouns/tenant.ts')).tenantCommands,
  key: async () => (await import('./nouns/key.ts')).keyCommands,
  link: async () => (await import('./nouns/link.ts')).linkCommands,
  grant: async () => (await import('./nouns/grant.ts')).grantCommands,
  quota: async () => (await import('./nouns/quota.ts')).quotaCommands,
  'signing-key': async () => (await import('./nouns/signing-key.ts')).signingKeyCommands,
  audit: async () => (await import('./nouns/audit.ts')).auditCommands,
  usage: async () => (await import('./commands/usage.ts')).usageCommand,
  backup: async () => (await import('./commands/backup.ts')).backupCommand,
  restore: async () => (await import('./commands/restore.ts')).restoreCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  mcp: async () => (await import('./commands/mcp.ts')).mcpCommand,
  whoami: async () => (await import('./commands/whoami.ts')).whoamiCommand,
}

/** The program with those commands that the arguments may mean: to load all of them takes longer than most of them do. */
export async function createProgram(cli: Cli, version: string, args: readonly string[]): Promise<Command> {
  const program = new Command('skillet')
    .description('Deploy skills, run them, and see what they do.')
    .option('--url <url>', 'server to talk to; default: SKILLET_URL, else the one that runs here')
    .option('--key-file <path>', 'file that holds the API key; default: SKILLET_KEY, else that of the server here')
    .option('--key <key>', 'the API key itself; other users of the machine can see it: prefer the others')
    .option(
      '--data <folder>',
      'data folder of the local server; default: SKILLET_DATA, .skillet here or above, ~/.skillet',
    )
    .option('--json', 'results as JSON on stdout, errors as JSON on stderr')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 no server, 4 refused, 5 not found, 6 package rejected.',
    )
  // That command has an option of the same name.
  if (!args.includes('install')) program.version(version)
  for (const make of await Promise.all(meant(args).map((name) => COMMANDS[name]!()))) program.addCommand(make(cli))
  everyCommand(program, (command) => {
    command.exitOverride().configureHelp({ showGlobalOptions: true })
    command.configureOutput({
      writeOut: (text) => cli.io.out(text),
      writeErr: (text) => cli.io.err(text),
      // Told by whoever runs the program, like all other errors.
      outputError: () => undefined,
    })
  })
  return program
}

/** Names among the arguments, a value of an option perhaps; all where that tells nothing, or help is wanted. */
function meant(args: readonly string[]): string[] {
  const all = Object.keys(COMMANDS)
  const first = args.find((arg) => !arg.startsWith('-'))
  const help = args.some((arg) => arg === '--help' || arg === '-h' || arg === 'help')
  return help || first === undefined || !all.includes(first) ? all : all.filter((name) => args.includes(name))
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const child of command.commands) everyCommand(child, visit)
}
