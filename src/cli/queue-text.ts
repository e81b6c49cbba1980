import type { Queues } from '../model/queues.ts'
import { table } from './table.ts'

/** How the queues stand, and what keeps runs from beginning. */
export function queueText({ paused, paused_stages, queues }: Queues): string {
  const rows = queues.map((queue) => [
    queue.queue,
    queue.waiting,
    queue.running,
    queue.later,
    queue.paused,
    queue.oldest_at,
  ])
  const lines = [table(['QUEUE', 'WAITING', 'RUNNING', 'LATER', 'PAUSED', 'OLDEST WAITS SINCE'], rows)]
  if (paused) lines.push('All is paused: no run begins. To let them: skillet queue resume\n')
  if (paused_stages.length > 0) lines.push(`Paused stages: ${paused_stages.join(', ')}\n`)
  return lines.join('')
}
