import { Command } from 'commander'
import type { Cli } from './call.ts'
import { auditExportCommand } from './commands/audit-export.ts'
import { auditListCommand } from './commands/audit-list.ts'
import { auditVerifyCommand } from './commands/audit-verify.ts'
import { deadLetterDeleteCommand } from './commands/dead-letter-delete.ts'
import { deadLetterListCommand } from './commands/dead-letter-list.ts'
import { deadLetterReplayCommand } from './commands/dead-letter-replay.ts'
import { backupCommand } from './commands/backup.ts'
import { deployCommand } from './commands/deploy.ts'
import { doctorCommand } from './commands/doctor.ts'
import { eventsCommand } from './commands/events.ts'
import { grantCreateCommand } from './commands/grant-create.ts'
import { grantDeleteCommand } from './commands/grant-delete.ts'
import { grantListCommand } from './commands/grant-list.ts'
import { initCommand } from './commands/init.ts'
import { invokeCommand } from './commands/invoke.ts'
import { keyCreateCommand } from './commands/key-create.ts'
import { keyListCommand } from './commands/key-list.ts'
import { keyRevokeCommand } from './commands/key-revoke.ts'
import { queuePauseCommand } from './commands/queue-pause.ts'
import { queueResumeCommand } from './commands/queue-resume.ts'
import { queueShowCommand } from './commands/queue-show.ts'
import { quotaSetCommand } from './commands/quota-set.ts'
import { quotaShowCommand } from './commands/quota-show.ts'
import { restoreCommand } from './commands/restore.ts'
import { runCancelCommand } from './commands/run-cancel.ts'
import { runListCommand } from './commands/run-list.ts'
import { runLogsCommand } from './commands/run-logs.ts'
import { runReplayCommand } from './commands/run-replay.ts'
import { runShowCommand } from './commands/run-show.ts'
import { scheduleDeleteCommand } from './commands/schedule-delete.ts'
import { scheduleFiresCommand } from './commands/schedule-fires.ts'
import { scheduleListCommand } from './commands/schedule-list.ts'
import { scheduleNextCommand } from './commands/schedule-next.ts'
import { schedulePauseCommand } from './commands/schedule-pause.ts'
import { schedulePreviewCommand } from './commands/schedule-preview.ts'
import { scheduleResumeCommand } from './commands/schedule-resume.ts'
import { scheduleSetCommand } from './commands/schedule-set.ts'
import { scheduleShowCommand } from './commands/schedule-show.ts'
import { secretCreateCommand } from './commands/secret-create.ts'
import { secretDeleteCommand } from './commands/secret-delete.ts'
import { secretListCommand } from './commands/secret-list.ts'
import { secretRotateMasterKeyCommand } from './commands/secret-rotate-master-key.ts'
import { secretShowCommand } from './commands/secret-show.ts'
import { secretUpdateCommand } from './commands/secret-update.ts'
import { serveCommand } from './commands/serve.ts'
import { skillDeleteCommand } from './commands/skill-delete.ts'
import { skillListCommand } from './commands/skill-list.ts'
import { skillShowCommand } from './commands/skill-show.ts'
import { stageConfigCommand } from './commands/stage-config.ts'
import { stagePauseCommand } from './commands/stage-pause.ts'
import { stagePromoteCommand } from './commands/stage-promote.ts'
import { stageResumeCommand } from './commands/stage-resume.ts'
import { stageRollbackCommand } from './commands/stage-rollback.ts'
import { stageShowCommand } from './commands/stage-show.ts'
import { tenantCreateCommand } from './commands/tenant-create.ts'
import { tenantListCommand } from './commands/tenant-list.ts'
import { tenantResumeCommand } from './commands/tenant-resume.ts'
import { tenantRetentionCommand } from './commands/tenant-retention.ts'
import { tenantShowCommand } from './commands/tenant-show.ts'
import { tenantSuspendCommand } from './commands/tenant-suspend.ts'
import { tenantZoneCommand } from './commands/tenant-zone.ts'
import { usageCommand } from './commands/usage.ts'
import { deliveryListCommand } from './commands/delivery-list.ts'
import { deliveryRedeliverCommand } from './commands/delivery-redeliver.ts'
import { deliveryShowCommand } from './commands/delivery-show.ts'
import { webhookDeleteCommand } from './commands/webhook-delete.ts'
import { webhookSetCommand } from './commands/webhook-set.ts'
import { webhookShowCommand } from './commands/webhook-show.ts'
import { validateCommand } from './commands/validate.ts'
import { whoamiCommand } from './commands/whoami.ts'

/** All commands: noun then verb, except for the few that are used all day. */
export function createProgram(cli: Cli, version: string): Command {
  const program = new Command('skillet')
    .description('Deploy skills, run them, and see what they do.')
    .version(version)
    .option('--url <url>', 'server to talk to; default: SKILLET_URL, else the one that runs here')
    .option('--key-file <path>', 'file that holds the API key; default: SKILLET_KEY, else that of the server here')
    .option('--key <key>', 'the API key itself; other users of the machine can see it: prefer the others')
    .option(
      '--data <folder>',
      'data folder of the local server; default: SKILLET_DATA, .skillet here or above, ~/.skillet',
    )
    .option('--json', 'results as JSON on stdout, errors as JSON on stderr')
    .addCommand(serveCommand(cli))
    .addCommand(initCommand(cli))
    .addCommand(validateCommand(cli))
    .addCommand(deployCommand(cli))
    .addCommand(invokeCommand(cli))
    .addCommand(eventsCommand(cli))
    .addCommand(
      noun('run', 'runs: list, show, logs, cancel, replay', [
        runListCommand(cli),
        runShowCommand(cli),
        runLogsCommand(cli),
        runCancelCommand(cli),
        runReplayCommand(cli),
      ]),
    )
    .addCommand(
      noun('skill', 'skills: list, show, delete', [
        skillListCommand(cli),
        skillShowCommand(cli),
        skillDeleteCommand(cli),
      ]),
    )
    .addCommand(
      noun('stage', 'stages: show, config, promote, rollback, pause, resume', [
        stageShowCommand(cli),
        stageConfigCommand(cli),
        stagePromoteCommand(cli),
        stageRollbackCommand(cli),
        stagePauseCommand(cli),
        stageResumeCommand(cli),
      ]),
    )
    .addCommand(
      noun('queue', 'what waits: show, pause, resume', [
        queueShowCommand(cli),
        queuePauseCommand(cli),
        queueResumeCommand(cli),
      ]),
    )
    .addCommand(
      noun('dead-letter', 'runs that failed for good: list, replay, delete', [
        deadLetterListCommand(cli),
        deadLetterReplayCommand(cli),
        deadLetterDeleteCommand(cli),
      ]),
    )
    .addCommand(
      noun('schedule', 'stages that run by the clock: set, show, list, next, fires, pause, resume, delete, preview', [
        scheduleSetCommand(cli),
        scheduleShowCommand(cli),
        scheduleListCommand(cli),
        scheduleNextCommand(cli),
        scheduleFiresCommand(cli),
        schedulePauseCommand(cli),
        scheduleResumeCommand(cli),
        scheduleDeleteCommand(cli),
        schedulePreviewCommand(cli),
      ]),
    )
    .addCommand(
      noun('secret', 'secrets: create, list, show, update, delete, rotate-master-key', [
        secretCreateCommand(cli),
        secretListCommand(cli),
        secretShowCommand(cli),
        secretUpdateCommand(cli),
        secretDeleteCommand(cli),
        secretRotateMasterKeyCommand(cli),
      ]),
    )
    .addCommand(
      noun('webhook', 'where stages tell of what happens: set, show, delete', [
        webhookSetCommand(cli),
        webhookShowCommand(cli),
        webhookDeleteCommand(cli),
      ]),
    )
    .addCommand(
      noun('delivery', 'what webhooks were told: list, show, redeliver', [
        deliveryListCommand(cli),
        deliveryShowCommand(cli),
        deliveryRedeliverCommand(cli),
      ]),
    )
    .addCommand(
      noun('tenant', 'tenants, for the operator: create, list, show, zone, retention, suspend, resume', [
        tenantCreateCommand(cli),
        tenantListCommand(cli),
        tenantShowCommand(cli),
        tenantZoneCommand(cli),
        tenantRetentionCommand(cli),
        tenantSuspendCommand(cli),
        tenantResumeCommand(cli),
      ]),
    )
    .addCommand(
      noun('key', 'API keys: create, list, revoke', [
        keyCreateCommand(cli),
        keyListCommand(cli),
        keyRevokeCommand(cli),
      ]),
    )
    .addCommand(
      noun('grant', 'grants of skills: create, list, delete', [
        grantCreateCommand(cli),
        grantListCommand(cli),
        grantDeleteCommand(cli),
      ]),
    )
    .addCommand(noun('quota', 'caps: show, set', [quotaShowCommand(cli), quotaSetCommand(cli)]))
    .addCommand(
      noun('audit', 'who did what: list, export, verify', [
        auditListCommand(cli),
        auditExportCommand(cli),
        auditVerifyCommand(cli),
      ]),
    )
    .addCommand(usageCommand(cli))
    .addCommand(backupCommand(cli))
    .addCommand(restoreCommand(cli))
    .addCommand(doctorCommand(cli))
    .addCommand(whoamiCommand(cli))
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 no server, 4 refused, 5 not found, 6 package rejected.',
    )
  everyCommand(program, (command) => {
    command.exitOverride().configureHelp({ showGlobalOptions: true })
    command.configureOutput({ writeOut: (text) => cli.io.out(text), writeErr: (text) => cli.io.err(text) })
  })
  return program
}

function noun(name: string, description: string, verbs: readonly Command[]): Command {
  const command = new Command(name).description(description)
  for (const verb of verbs) command.addCommand(verb)
  return command
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const child of command.commands) everyCommand(child, visit)
}
