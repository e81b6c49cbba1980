import { jsonText, jsonWith } from '../model/written-json.ts'
import type { Run } from '../model/runs.ts'
import type { Reply } from './reply.ts'

/** A run with its payloads as an answer. Its input was written as JSON when the run was admitted. */
export function runReply({ input, ...rest }: Run): Pick<Reply, 'status' | 'content'> {
  return { status: 200, content: jsonWith(rest, { input: jsonText(input) }) }
}
