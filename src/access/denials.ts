import type { AuditStore } from '../backends/access-ports.ts'
import type { Caller } from '../model/access.ts'
import { type AuditNote, noteOf } from '../model/audit.ts'
import type { SkilletError } from '../model/errors.ts'
import type { Target } from './authorize.ts'
import type { Operation } from './permissions.ts'

/** What somebody was not allowed to do. */
export interface Denial {
  readonly operation: Operation
  readonly method: string
  /** Of the route, with parameters as `{name}`. */
  readonly path: string
  readonly target: Target
  readonly error: SkilletError
}

export interface Denials {
  /** Audits it. Resolves when it is written; if that fails, it is told and the denial stays what it is. */
  record(caller: Caller, denial: Denial): Promise<void>
  /** Writes down how many were left out. May be called twice. */
  close(): Promise<void>
}

/** One row per principal and operation in this many milliseconds: what is denied is no way to fill the disk. */
const QUIET_MS = 1000

interface Entry {
  readonly since: number
  /** What the next row will say: the last one that was left out. */
  note: AuditNote | null
  leftOut: number
}

/** @param options.onError Told when a row could not be written. */
export function createDenials(
  audit: Pick<AuditStore, 'append'>,
  options: { onError: (error: unknown, doing: string) => void; quietMs?: number; clock?: () => number },
): Denials {
  const { onError, quietMs = QUIET_MS, clock = Date.now } = options
  const recent = new Map<string, Entry>()
  let timer: NodeJS.Timeout | null = null
  let writing: Promise<void> = Promise.resolve()

  async function write(note: AuditNote, leftOut: number): Promise<void> {
    try {
      await audit.append(leftOut === 0 ? note : { ...note, detail: { ...note.detail, left_out: leftOut } }, 'denied')
    } catch (error) {
      onError(error, 'writing a denied access into the audit log')
    }
  }

  /** Tells of those that were left out, one row for each principal and operation. */
  async function sweep(everything: boolean): Promise<void> {
    timer = null
    const told: Promise<void>[] = []
    for (const [key, { since, note, leftOut }] of recent) {
      if (!everything && clock() - since < quietMs) continue
      recent.delete(key)
      if (note === null) continue
      if (!everything) recent.set(key, { since: clock(), note: null, leftOut: 0 })
      told.push(write(note, leftOut - 1))
    }
    await Promise.all(told)
    if (!everything && recent.size > 0) wake()
  }

  function wake(): void {
    timer ??= setTimeout(() => {
      writing = sweep(false)
    }, quietMs).unref()
  }

  return {
    async record(caller, denial) {
      const key = `${caller.tenant} ${caller.id} ${denial.operation}`
      const note = noteOfDenial(caller, denial)
      const before = recent.get(key)
      wake()
      if (before !== undefined && clock() - before.since < quietMs) {
        before.note = note
        before.leftOut++
        return
      }
      recent.set(key, { since: clock(), note: null, leftOut: 0 })
      await write(note, before?.leftOut ?? 0)
    },

    async close() {
      if (timer !== null) clearTimeout(timer)
      await writing
      await sweep(true)
    },
  }
}

function noteOfDenial(caller: Caller, { operation, method, path, target, error }: Denial): AuditNote {
  const { skill, stage, run } = target
  const detail = { operation, method, path, params: { ...target }, code: error.code }
  return noteOf(caller, 'access.denied', place(operation, { skill, stage, run }), detail)
}

/** The narrowest thing that the path names, as it names it. */
function place(
  operation: Operation,
  { skill, stage, run }: { [Name in keyof Target]: Target[Name] | undefined },
): { kind: string; id: string } {
  if (run !== undefined) return { kind: 'run', id: run }
  if (skill === undefined) return { kind: 'operation', id: operation }
  return stage === undefined ? { kind: 'skill', id: skill } : { kind: 'stage', id: `${skill}/${stage}` }
}
