import type { Engine } from './backends/ports.ts'
import { createDeploymentCache } from './runs/deployment-cache.ts'
import { createExecute } from './runs/execute.ts'
import { createPlanner } from './runs/planning.ts'
import type { ResolveSecrets } from './runs/run-secrets.ts'
import { type RunsService, createRunsService } from './runs/service.ts'
import { createStageInputCheck } from './runs/stage-input.ts'
import { type RunWorker, createRunWorker } from './runs/worker.ts'
import type { SessionPool } from './runtime/session-pool.ts'
import { type SchedulesService, createSchedulesService } from './schedules/service.ts'
import { type Ticker, createTicker } from './schedules/ticker.ts'
import type { SchemaValidator } from './schemas/validator.ts'
import type { ServerOptions } from './server-options.ts'
import type { SkillsService } from './skills/service.ts'
import type { Metrics } from './telemetry/metrics.ts'
import type { Tracing } from './telemetry/tracing.ts'

/** What begins runs, by a call or by the clock, and what executes them. Nothing has begun when it is put together. */
export function openRuns(
  parts: {
    readonly engine: Engine
    readonly pool: SessionPool
    readonly schemas: SchemaValidator
    readonly secrets: ResolveSecrets
    readonly tracing: Tracing
    readonly metrics: Metrics
    readonly findStage: SkillsService['stages']['find']
    /** @throws SkilletError isolation_unavailable on a machine where no run may be begun. */
    readonly requireIsolation: () => void
    readonly onError: (error: unknown, doing: string) => void
  },
  { graceMs = 10_000, leaseMs, concurrency }: Pick<ServerOptions, 'graceMs' | 'leaseMs' | 'concurrency'>,
): { runs: RunsService; schedules: SchedulesService; worker: RunWorker; ticker: Ticker } {
  const { engine, pool, schemas, secrets, tracing, metrics, findStage, requireIsolation, onError } = parts
  const deployments = createDeploymentCache(engine)
  const execute = createExecute({ engine, pool, schemas, deployments, secrets, tracing, onError })
  const worker = createRunWorker(engine, execute, { graceMs, leaseMs, concurrency, onError })
  const { plan } = createPlanner({ engine, schemas, deployments })
  const checkInput = createStageInputCheck({ schemas, deployments })
  return {
    worker,
    ticker: createTicker({ engine, plan, cancel: worker.cancel, hold: worker.hold, onFired: metrics.fired, onError }),
    runs: createRunsService({ engine, schemas, deployments, worker, requireIsolation }),
    schedules: createSchedulesService({ engine, findStage, checkInput }),
  }
}
