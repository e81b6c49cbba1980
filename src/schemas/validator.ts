import type { Problem } from '../model/errors.ts'

/** Validates values against users' JSON Schemas without ever blocking the caller: what may run away runs where it can be killed. */
export interface SchemaValidator {
  /** Limits, dialect (2020-12 or draft-07), meta-validation, local refs only. All problems at once; empty means accepted. */
  checkSchema(schema: unknown, tenant?: string): Promise<Problem[]>
  /**
   * @param schema One that `checkSchema` accepted. The object's identity is the cache key: pass the same object for the same deployment.
   * @param tenant Who waits for it: tenants take turns where it needs a thread. Default: nobody in particular.
   * @returns Problems with JSON pointers into the value; empty means valid.
   * @throws SkilletError validation_timeout when it took longer than the deadline (1 s).
   */
  validate(schema: object, value: unknown, tenant?: string): Promise<Problem[]>
  /** The same for JSON text, which is parsed where it is checked: a large one costs the caller nothing. @throws SyntaxError when it is none */
  validateText(schema: object, text: string, tenant?: string): Promise<Problem[]>
  close(): Promise<void>
}
