import type { ReadinessCheck } from './http/services.ts'
import { SkilletError } from './model/errors.ts'
import type { DoctorReport } from './runtime/doctor.ts'

/** What the doctor found decides what the server does. */
export interface IsolationGate {
  /** @throws Error naming what is wrong, when this machine cannot hold a skill. */
  examine(doctor: () => Promise<DoctorReport>): Promise<void>
  /** @throws SkilletError isolation_unavailable once it is known that this machine cannot hold a skill. */
  readonly require: () => void
  /** Whether it was examined and found sound. */
  passed(): boolean
  checks(): ReadinessCheck[]
}

export function createIsolationGate(): IsolationGate {
  let report: DoctorReport | null = null

  return {
    async examine(doctor) {
      report = await doctor().catch(unexamined)
      if (!report.ok) throw new Error(failuresOf(report))
    },
    require() {
      if (report?.ok === false) throw new SkilletError('isolation_unavailable', failuresOf(report))
    },
    passed: () => report?.ok === true,
    checks() {
      if (report !== null) return report.checks.map(readinessOf)
      return [{ name: 'isolation', check: stillExamining }]
    },
  }
}

/** What could not be tried is not known to be held. */
function unexamined(error: unknown): DoctorReport {
  const detail = `It could not be examined: ${error instanceof Error ? error.message : String(error)}`
  return { ok: false, checks: [{ check: 'isolation', ok: false, detail, fix: 'Start the server again.' }] }
}

function stillExamining(): never {
  throw new Error('The sandbox is still being examined.')
}

function readinessOf({ check, ok, detail, fix }: DoctorReport['checks'][number]): ReadinessCheck {
  return {
    name: check,
    check() {
      if (!ok) throw Object.assign(new Error(detail), { fix })
      return { message: detail, fix }
    },
  }
}

function failuresOf({ checks }: DoctorReport): string {
  return checks.flatMap(({ ok, check, detail }) => (ok ? [] : [`${check}: ${detail}`])).join('; ')
}
