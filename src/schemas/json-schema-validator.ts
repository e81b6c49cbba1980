import { SkilletError, type Problem } from '../model/errors.ts'
import { LIMITS } from '../model/sizes.ts'
import { ThreadCrash, ThreadTimeout } from '../threads/thread-errors.ts'
import { createThreadPool } from '../threads/thread-pool.ts'
import { workerUrl } from '../threads/worker-url.ts'
import { compileSchema, type Compiled } from './compile.ts'
import { evaluate, TOO_DEEP } from './evaluate.ts'
import { schemaProblems } from './limits.ts'
import { measure } from './measure.ts'
import type { SchemaTask } from './schema-worker.ts'
import type { SchemaValidator } from './validator.ts'

export interface SchemaValidatorOptions {
  /** Threads for what may run away. Default 2. */
  readonly threads?: number
  /** Deadline of one check in a thread, in milliseconds. Default LIMITS.schemaMs. */
  readonly timeoutMs?: number
}

/**
 * Small values against schemas that cannot run away are checked on the spot, in microseconds: the way of a warm invoke.
 * Everything else is checked in a thread that is killed when its time is up.
 */
export function createSchemaValidator(options: SchemaValidatorOptions = {}): SchemaValidator {
  const timeoutMs = options.timeoutMs ?? LIMITS.schemaMs
  const pool = createThreadPool({
    url: workerUrl(import.meta.url, './schema-worker'),
    size: options.threads ?? 2,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  })
  const known = new WeakMap<object, Known>()
  let closed = false

  const ask = async (task: SchemaTask, patienceMs: number): Promise<Problem[]> => {
    try {
      return await pool.call<Problem[]>(task, { timeoutMs: patienceMs })
    } catch (error) {
      if (error instanceof ThreadTimeout) throw stopped(`after ${patienceMs} ms`, error)
      if (error instanceof ThreadCrash && !closed) throw stopped('because it took too much memory', error)
      // A value too deep to be copied to the thread is too deep to be checked.
      if (error instanceof RangeError) return [TOO_DEEP]
      throw error
    }
  }

  return {
    async checkSchema(schema) {
      const problems = schemaProblems(schema)
      if (problems.length > 0) return problems
      return ask({ kind: 'check', schema: JSON.stringify(schema) }, timeoutMs * CHECK_FACTOR)
    },
    async validate(schema, value) {
      let entry = known.get(schema)
      if (entry === undefined) {
        entry = { compiled: compileSchema(schema), text: null }
        known.set(schema, entry)
      }
      if (isBounded(entry.compiled, value)) return evaluate(entry.compiled, value)
      entry.text ??= JSON.stringify(schema)
      return ask({ kind: 'validate', schema: entry.text, value }, timeoutMs)
    },
    close() {
      closed = true
      return pool.close()
    },
  }
}

/** A schema is checked once, while nobody waits for a run: a busy machine is no reason to refuse it. */
const CHECK_FACTOR = 10

interface Known {
  readonly compiled: Compiled
  /** How the schema travels to a thread; made when it is first needed. */
  text: string | null
}

/** Steps of the interpreter that may run on the spot: some milliseconds at the very worst. */
const STEPS = 30_000
/** A value beyond these always goes to a thread, so that looking at it here costs little too. */
const SMALL = { nodes: 3000, chars: 100_000, depth: 100 }

function isBounded(compiled: Compiled, value: unknown): boolean {
  if (!compiled.linear || compiled.weight > STEPS) return false
  const size = measure(value, SMALL)
  // Comparing and counting characters takes time too, less of it.
  return !size.over && compiled.weight * (size.nodes + size.chars / 64) <= STEPS
}

function stopped(why: string, cause: unknown): SkilletError {
  return new SkilletError('validation_timeout', `Checking the value against its schema was stopped ${why}.`, { cause })
}
