import type { Problem } from '../model/errors.ts'
import { serveThread } from '../threads/thread-worker.ts'
import { compileSchema, type Compiled } from './compile.ts'
import { dialectOf } from './dialects.ts'
import { evaluateAny } from './evaluate.ts'
import { META_SCHEMAS } from './meta.ts'

/**
 * What the thread is asked. Schemas and values travel as text: copying a value of two million small parts takes the sender a second, writing
 * it as JSON a tenth of that; and by the text of a schema the compiled one is found again.
 */
export type SchemaTask =
  | { readonly kind: 'check'; readonly schema: string }
  | { readonly kind: 'validate'; readonly schema: string; readonly value: string }

serveThread((task: SchemaTask): Problem[] => {
  if (task.kind === 'check') return checkAgainstMeta(JSON.parse(task.schema))
  return evaluateAny(compiledOf(task.schema), JSON.parse(task.value))
})

function checkAgainstMeta(schema: unknown): Problem[] {
  return evaluateAny(compileSchema(META_SCHEMAS[dialectOf(schema)!]), schema)
}

const MOST_COMPILED = 100
const compiled = new Map<string, Compiled>()

function compiledOf(text: string): Compiled {
  const found = compiled.get(text) ?? compileSchema(JSON.parse(text))
  // Deleted and set again: the oldest use stands first.
  compiled.delete(text)
  compiled.set(text, found)
  if (compiled.size > MOST_COMPILED) compiled.delete(compiled.keys().next().value!)
  return found
}
