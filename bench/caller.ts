import type { Answer } from './client.ts'
import { openLine, requestText } from './line.ts'
import type { BenchServer } from './server.ts'

/** Invokes one stage again and again, and waits for each run. */
export interface Caller {
  /** @returns Milliseconds. */
  invoke(): Promise<number>
  close(): void
}

export async function openCaller(
  { url, key }: Pick<BenchServer, 'url' | 'key'>,
  skill: string,
  stage: string,
): Promise<Caller> {
  const request = requestText(url, key, invokePath(skill, stage), INPUT, WAIT)
  const line = await openLine(url)
  return {
    async invoke() {
      const began = performance.now()
      const answer = await line.ask(request)
      const took = performance.now() - began
      check(answer)
      return took
    },
    close: line.close,
  }
}

function check({ status, body }: Answer): void {
  const run = JSON.parse(body) as { status?: string; output?: { sum?: number } }
  if (status !== 200 || run.status !== 'succeeded' || run.output?.sum !== 5) {
    throw new Error(`A benchmark run went wrong (${status}): ${body}`)
  }
}

export const INPUT = JSON.stringify({ input: { a: 2, b: 3 } })
export const WAIT = { prefer: 'wait=30' }

export const invokePath = (skill: string, stage: string): string => `/api/skills/${skill}/stages/${stage}/invoke`
