import { SkilletError, type Problem } from '../model/errors.ts'
import { jsonText } from '../model/written-json.ts'
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

  const ask = async (make: () => SchemaTask, patienceMs: number, party?: string): Promise<Problem[]> => {
    try {
      return await pool.call<Problem[]>(make(), { timeoutMs: patienceMs, party })
    } catch (error) {
      if (error instanceof ThreadTimeout) throw stopped(`after ${patienceMs} ms`, error)
      if (error instanceof ThreadCrash && !closed) throw stopped('because it took too much memory', error)
      // A value too deep to be written for the thread is too deep to be checked.
      if (error instanceof RangeError) return [TOO_DEEP]
      throw error
    }
  }

  const knownOf = (schema: object): Known => {
    let entry = known.get(schema)
    if (entry === undefined) {
      entry = { compiled: compileSchema(schema), text: null }
      known.set(schema, entry)
    }
    return entry
  }
  const textOf = (schema: object): string => (knownOf(schema).text ??= JSON.stringify(schema))

  const validate = async (schema: object, value: unknown, tenant?: string): Promise<Problem[]> => {
    const { compiled } = knownOf(schema)
    if (isBounded(compiled, value)) return evaluate(compiled, value)
    const task = () => ({ kind: 'validate', schema: textOf(schema), value: jsonText(value) }) as const
    return ask(task, timeoutMs, tenant)
  }

  return {
    validate,
    async checkSchema(schema, tenant) {
      const problems = schemaProblems(schema)
      if (problems.length > 0) return problems
      return ask(() => ({ kind: 'check', schema: JSON.stringify(schema) }), timeoutMs * CHECK_FACTOR, tenant)
    },
    async validateText(schema, text, tenant) {
      if (text.length <= SMALL.chars) return validate(schema, JSON.parse(text), tenant)
      return ask(() => ({ kind: 'validate', schema: textOf(schema), value: text }), timeoutMs, tenant)
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
const SMALL = { nodes: 3000, chars: 100_000, depth: 100, paths: 500_000 }

function isBounded(compiled: Compiled, value: unknown): boolean {
  if (!compiled.linear || compiled.weight > STEPS) return false
  const size = measure(value, SMALL)
  // Comparing, counting and writing characters takes time too, less of it.
  return !size.over && compiled.weight * (size.nodes + (size.chars + size.paths) / 64) <= STEPS
}

function stopped(why: string, cause: unknown): SkilletError {
  return new SkilletError('validation_timeout', `Checking the value against its schema was stopped ${why}.`, { cause })
}
