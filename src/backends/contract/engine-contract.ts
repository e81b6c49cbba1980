import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { accessContract } from './access-contract.ts'
import { activityContract } from './activity-contract.ts'
import { auditContract } from './audit-contract.ts'
import { catalogueContract } from './catalogue-contract.ts'
import { deploymentsContract } from './deployments-contract.ts'
import { linksContract } from './links-contract.ts'
import type { OpenEngine } from './engine-fixtures.ts'
import { grantsContract } from './grants-contract.ts'
import { quotaContract } from './quota-contract.ts'
import { quotaPeriodsContract } from './quota-periods-contract.ts'
import { quotaScopesContract } from './quota-scopes-contract.ts'
import { queuePauseContract } from './queue-pause-contract.ts'
import { queueResumeContract } from './queue-resume-contract.ts'
import { queueTurnsContract } from './queue-turns-contract.ts'
import { runBeginContract } from './run-begin-contract.ts'
import { runEndsContract } from './run-ends-contract.ts'
import { runEventsContract } from './run-events-contract.ts'
import { runListContract } from './run-list-contract.ts'
import { runQueueContract } from './run-queue-contract.ts'
import { runRetriesContract } from './run-retries-contract.ts'
import { scheduleContract } from './schedule-contract.ts'
import { scheduleFireContract } from './schedule-fire-contract.ts'
import { scheduleCancelContract } from './schedule-cancel-contract.ts'
import { scheduleOverlapContract } from './schedule-overlap-contract.ts'
import { secretContract } from './secret-contract.ts'
import { signingContract } from './signing-contract.ts'
import { skillsContract } from './skills-contract.ts'
import { uploadsContract } from './uploads-contract.ts'
import { upkeepContract } from './upkeep-contract.ts'
import { deliveryContract } from './delivery-contract.ts'
import { webhookContract } from './webhook-contract.ts'
import { webhookDisableContract } from './webhook-disable-contract.ts'

/** What every Engine backend must do. */
export function engineContract(backend: string, open: () => Promise<OpenEngine>): void {
  describe(`engine: ${backend}`, () => {
    let opened: OpenEngine
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())
    const engine = (): OpenEngine['engine'] => opened.engine

    describe('access', () => accessContract(engine))
    describe('grants', () => grantsContract(engine))
    describe('links', () => linksContract(engine))
    describe('secrets', () => secretContract(engine))
    describe('audit', () => auditContract(engine))
    describe('skills and stages', () => skillsContract(engine))
    describe('uploads', () => uploadsContract(engine))
    describe('deployments', () => deploymentsContract(engine))
    describe('catalogue', () => catalogueContract(engine))
    describe('signing keys', () => signingContract(engine))
    describe('queue', () => runQueueContract(engine))
    describe('runs that begin at once', () => runBeginContract(engine))
    describe('turns in the queue', () => queueTurnsContract(engine))
    describe('pauses', () => queuePauseContract(engine))
    describe('pauses that end', () => queueResumeContract(engine))
    describe('retries', () => runRetriesContract(engine))
    describe('how runs end', () => runEndsContract(engine))
    describe('events', () => runEventsContract(engine))
    describe('what happens in a tenant', () => activityContract(engine))
    describe('lists of runs', () => runListContract(engine))
    describe('upkeep', () => upkeepContract(engine))
    describe('quotas', () => quotaContract(engine))
    describe('whose quotas hold', () => quotaScopesContract(engine))
    describe('days and months of quotas', () => quotaPeriodsContract(engine))
    describe('schedules', () => scheduleContract(engine))
    describe('fires of schedules', () => scheduleFireContract(engine))
    describe('runs of a schedule that overlap', () => scheduleOverlapContract(engine))
    describe('runs of a schedule that make way', () => scheduleCancelContract(engine))
    describe('webhooks', () => webhookContract(engine))
    describe('deliveries', () => deliveryContract(engine))
    describe('webhooks that fail', () => webhookDisableContract(engine))

    test('says that it works, and refuses after it was closed', async () => {
      await engine().check()
      await engine().close()
      await engine().close()
      await expect(engine().check()).rejects.toThrow()
    })
  })
}
