import type { Tool } from '@modelcontextprotocol/server'
import type { SkillTool } from '../skill-tools.ts'
import { versionMeta } from './skill-meta.ts'

/** A skill as `tools/list` shows it. */
export function toolOf({ name, description, entry, deployment }: SkillTool): Tool {
  const { output_schema: outputSchema } = deployment
  return {
    name,
    ...(entry.display_name !== null && { title: entry.display_name }),
    description: description === '' ? name : description,
    inputSchema: inputSchemaOf(deployment.input_schema),
    ...(outputSchema !== null && { outputSchema }),
    _meta: versionMeta(entry),
  }
}

/** The protocol has arguments by name only: a skill that takes something else gets it as the one named `input`. */
export function inputSchemaOf(schema: Readonly<Record<string, unknown>>): Tool['inputSchema'] {
  if (takesObject(schema)) return { ...schema, type: 'object' }
  // References within the schema begin at its root, so what they lead to stays there.
  const { $defs, definitions } = schema
  const wrapped: Record<string, unknown> = { properties: { input: schema }, required: ['input'] }
  if ($defs !== undefined) wrapped['$defs'] = $defs
  if (definitions !== undefined) wrapped['definitions'] = definitions
  return { ...wrapped, type: 'object' }
}

/** What a skill gets of the arguments. */
export function inputOf(schema: Readonly<Record<string, unknown>>, given: Readonly<Record<string, unknown>>): unknown {
  return takesObject(schema) ? given : given['input']
}

function takesObject({ type }: Readonly<Record<string, unknown>>): boolean {
  return type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'))
}
