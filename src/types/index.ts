/**
 * Types for authors of TypeScript skills: `import type { SkillContext } from 'skillet/types'`. There is no code behind them: the
 * build leaves the import out.
 * @module
 */

/** What JSON can say: what a skill is given and what it may return. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }
export type JsonObject = { [key: string]: JsonValue }

/** The second argument of `execute` and `validate`. A new one for every run. */
export interface SkillContext {
  /** Environment of this run: what the stage declares, and its secrets. Nothing of the server's own. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The secrets of the stage alone, by their names. They are removed from logs and error texts. */
  readonly secrets: Readonly<Record<string, string | undefined>>
  readonly run: SkillRun
  /** Writes a line to the log of the run, as `console.log` does. */
  log(this: void, ...values: unknown[]): void
  /** Aborted shortly before `run.deadline`, so that there is time to stop in order: at most one second before. */
  readonly signal: AbortSignal
  /** Secrets that hold a URL, parsed, by their names; their hosts may be reached. */
  readonly connections: Readonly<Record<string, SkillConnection | undefined>>
}

/** The run that is being executed. */
export interface SkillRun {
  readonly id: string
  /** Id of the skill. */
  readonly skill: string
  /** Id of the stage. */
  readonly stage: string
  /** Semver of the deployed version. */
  readonly version: string
  /** 1 the first time; higher when the run is executed again because a worker was lost. */
  readonly attempt: number
  /** RFC 3339, UTC: when the run is killed. */
  readonly deadline: string
  /** W3C traceparent of this execution, to go on with in calls to others; missing where nothing is traced. */
  readonly traceparent?: string
}

/** A secret of the kind `connection`, such as `postgres://user:password@host:5432/name`, in its parts. */
export interface SkillConnection {
  readonly url: string
  /** Without the colon, such as `postgres`. */
  readonly protocol: string
  readonly host: string
  readonly port: number | null
  readonly username: string | null
  readonly password: string | null
  /** The path without its first slash; of a database URL, the name of the database. */
  readonly path: string
  /** What follows the "?", by name; of one that is there twice, the last. */
  readonly params: Readonly<Record<string, string | undefined>>
}

/** What `execute` may return: the output itself, now or later. It is checked against the output schema. */
export type SkillExecuteResult<Output = JsonValue> = Output | Promise<Output>

/** What `validate` may return: `false` refuses the input, as throwing does; the text of the error tells the caller why. */
export type SkillValidateResult = boolean | void | Promise<boolean | void>

/** The type of `execute`: `export const execute: SkillExecute<Input, Output> = async (params, context) => …`. */
export type SkillExecute<Input = JsonObject, Output = JsonValue> = (
  params: Input,
  context: SkillContext,
) => SkillExecuteResult<Output>

/** The type of the optional `validate`, called before `execute` with the same arguments, for what a schema cannot say. */
export type SkillValidate<Input = JsonObject> = (params: Input, context: SkillContext) => SkillValidateResult
