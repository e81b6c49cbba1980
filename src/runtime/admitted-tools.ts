import type { Driver } from './driver.ts'
import type { Room } from './room.ts'

/**
 * The driver's tools, each with a seat in the room: a build takes memory like any run does. Time in line does not count as the tool's.
 * @throws SandboxError from `tool`, when there will never be room for it; the signal's reason when aborted in line.
 */
export function admittedTools(driver: Pick<Driver, 'tool'>, room: Room): Pick<Driver, 'tool'> {
  return {
    async tool(spec, signal) {
      const seat = await room.enter({ memory_mb: spec.memory_mb + spec.disk_mb, tenant: null }, signal)
      try {
        return await driver.tool(spec, signal)
      } finally {
        seat.leave()
      }
    },
  }
}
