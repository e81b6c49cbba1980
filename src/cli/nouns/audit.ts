import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { auditExportCommand } from '../commands/audit-export.ts'
import { auditListCommand } from '../commands/audit-list.ts'
import { auditVerifyCommand } from '../commands/audit-verify.ts'
import { noun } from './noun.ts'

export function auditCommands(cli: Cli): Command {
  return noun('audit', 'who did what: list, export, verify', [
    auditListCommand(cli),
    auditExportCommand(cli),
    auditVerifyCommand(cli),
  ])
}
