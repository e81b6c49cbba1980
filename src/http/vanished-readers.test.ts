import { once } from 'node:events'
import { type ServerResponse, createServer } from 'node:http'
import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { listen } from '../net/fixtures/listen.ts'
import { live } from './live.ts'
import { createEventStreams } from './sse.ts'

test('who has gone before its stream begins holds none open', async () => {
  const arrived = Promise.withResolvers<ServerResponse>()
  const server = createServer((_request, response) => arrived.resolve(response))
  await using listening = await listen(server)
  const client = connect(listening.port, '127.0.0.1')
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const response = await arrived.promise
  client.destroy()
  await once(response, 'close')

  const faults: unknown[] = []
  const streams = createEventStreams({ stopping: new AbortController().signal, perTenant: 1 })
  const following = Promise.withResolvers<AbortSignal>()
  async function* forEver(signal: AbortSignal): AsyncGenerator<object, void, void> {
    following.resolve(signal)
    if (!signal.aborted) await once(signal, 'abort')
    yield* []
  }
  streams.send(
    response,
    { status: 200, headers: {} },
    {
      live: live(forEver, () => 'x'),
      tenant: 'tenant_1',
      recheck: async () => true,
      onFault: (error) => faults.push(error),
    },
  )
  for (let i = 0; i < 5; i++) await turn()
  // Another one may be opened.
  expect(() => streams.require('tenant_1')).not.toThrow()
  const signal = await Promise.race([following.promise, turn(null)])
  expect([signal?.aborted ?? true, faults]).toEqual([true, []])
})
