import type { Command } from 'commander'
import type { Cli } from '../call.ts'
import { tenantCreateCommand } from '../commands/tenant-create.ts'
import { tenantListCommand } from '../commands/tenant-list.ts'
import { tenantResumeCommand } from '../commands/tenant-resume.ts'
import { tenantRetentionCommand } from '../commands/tenant-retention.ts'
import { tenantShowCommand } from '../commands/tenant-show.ts'
import { tenantSuspendCommand } from '../commands/tenant-suspend.ts'
import { tenantZoneCommand } from '../commands/tenant-zone.ts'
import { noun } from './noun.ts'

export function tenantCommands(cli: Cli): Command {
  return noun('tenant', 'tenants, for the operator: create, list, show, zone, retention, suspend, resume', [
    tenantCreateCommand(cli),
    tenantListCommand(cli),
    tenantShowCommand(cli),
    tenantZoneCommand(cli),
    tenantRetentionCommand(cli),
    tenantSuspendCommand(cli),
    tenantResumeCommand(cli),
  ])
}
