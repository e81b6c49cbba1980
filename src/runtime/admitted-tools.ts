import type { Driver, ToolSpec } from './driver.ts'
import type { Room } from './room.ts'

/**
 * The driver's tools, each with a seat in the room: a build takes memory like any run does. One that may take more than there is for
 * all sandboxes gets all that there is, in the same proportion. Time in line does not count as the tool's.
 * @throws the signal's reason from `tool`, when aborted in line.
 */
export function admittedTools(driver: Pick<Driver, 'tool'>, room: Room): Pick<Driver, 'tool'> {
  return {
    async tool(wanted, signal) {
      const spec = fitted(wanted, room.state.limit_mb)
      const seat = await room.enter({ memory_mb: spec.memory_mb + spec.disk_mb, tenant: null }, signal)
      try {
        return await driver.tool(spec, signal)
      } finally {
        seat.leave()
      }
    },
  }
}

function fitted(spec: ToolSpec, limitMb: number): ToolSpec {
  const share = limitMb / (spec.memory_mb + spec.disk_mb)
  if (share >= 1) return spec
  return { ...spec, memory_mb: Math.floor(spec.memory_mb * share), disk_mb: Math.floor(spec.disk_mb * share) }
}
