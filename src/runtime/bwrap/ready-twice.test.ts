import { expect, test } from 'vitest'
import { openTestNetwork } from '../test-network.ts'
import { invoke } from '../test-sessions.ts'

/** What every object inherits sees the frame of the host, and says it twice, at once. */
const TWICE = `
import { writeSync } from 'node:fs'
export function execute() {
  Object.prototype.toJSON = function () {
    if (this.type !== 'ready') return this
    delete Object.prototype.toJSON
    const head = Buffer.from(JSON.stringify(this))
    const lengths = Buffer.alloc(8)
    lengths.writeUInt32BE(head.length, 0)
    writeSync(4, Buffer.concat([lengths, head, lengths, head]))
    return this
  }
  return 1
}`

test('a session that is ready twice after one run serves no other, also while its refusals are still being told', async () => {
  await using network = await openTestNetwork()
  const session = await network.sessions.node(TWICE, { network: network.list })
  await invoke(session, {})
  expect(await session.idle()).toBe(false)
})
