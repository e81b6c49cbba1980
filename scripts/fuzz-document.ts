/** Real things by the name of the parameter that takes them. */
export type Things = Readonly<Record<string, readonly string[]>>

interface Parameter {
  readonly name: string
  readonly in: string
  schema: object
}

interface Operation {
  readonly operationId: string
  readonly parameters?: Parameter[]
  readonly requestBody?: { readonly content: Record<string, { schema: object }> }
}

/** After these a thing is not what it was, as after a DELETE. */
const DESTRUCTIVE = new Set(['updateTenant', 'putTenantQuota', 'putSkillQuota'])

/** Their answers never end, which a fuzzer that waits for the end of each would wait for. */
const ENDLESS = new Set(['followTenant', 'followStage'])

const HEADERS: Things = { Prefer: ['wait=1', 'wait=0'] }
const DIFF: Things = { from: ['1.0.0'], to: ['1.0.0'] }

/**
 * A copy of the document in which parameters also take values that lead somewhere: else a fuzzer meets nothing but 404.
 * What deletes or suspends is led to what nobody needs.
 * @param inputs With which skills run.
 */
export function leadSomewhere(document: object, lasting: Things, doomed: Things, inputs: readonly unknown[]): object {
  const copy = structuredClone(document) as { paths: Record<string, Record<string, Operation>> }
  for (const methods of Object.values(copy.paths)) {
    for (const [method, { operationId, parameters = [], requestBody }] of Object.entries(methods)) {
      if (ENDLESS.has(operationId)) delete methods[method]
      const things = method === 'delete' || DESTRUCTIVE.has(operationId) ? doomed : lasting
      const others = operationId === 'diffVersions' ? DIFF : HEADERS
      for (const parameter of parameters) {
        const values = (parameter.in === 'path' ? things : others)[parameter.name]
        if (values !== undefined) parameter.schema = { anyOf: [{ enum: values }, parameter.schema] }
      }
      const body = operationId === 'invoke' ? requestBody?.content['application/json'] : undefined
      if (body !== undefined) body.schema = { anyOf: [{ enum: inputs.map((input) => ({ input })) }, body.schema] }
    }
  }
  return copy
}
