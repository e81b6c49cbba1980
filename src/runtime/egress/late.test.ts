import { expect, test } from 'vitest'
import { egressPid } from './fixtures/processes.ts'
import { openWayOut } from './fixtures/way-out.ts'

const ANSWERS = (): string[] => ['127.0.0.2']

test('a process that is late serves all the same, and those that it served before go on', async () => {
  await using wayOut = await openWayOut(ANSWERS, { answerMs: 500 })
  const guest = await wayOut.join(['api.example.com'])
  const pid = egressPid()
  process.kill(pid, 'SIGSTOP')
  const asked = wayOut.join(['api.example.com'])
  setTimeout(() => process.kill(pid, 'SIGCONT'), 1000)
  expect(await (await asked).lookUp('api.example.com')).toEqual(['127.77.0.1'])
  expect([guest.lost(), egressPid(), wayOut.errors]).toEqual([0, pid, []])
})

test('one that does not even say that it is there is ended, and the next sandbox has another', async () => {
  await using wayOut = await openWayOut(ANSWERS, { answerMs: 1000, pulseMs: 5000 })
  const guest = await wayOut.join(['api.example.com'])
  process.kill(egressPid(), 'SIGSTOP')
  await expect(wayOut.join(['api.example.com'])).rejects.toThrow(expect.objectContaining({ name: 'EgressUnavailable' }))
  expect([guest.lost(), wayOut.errors.map(String)]).toEqual([1, ['Error: The process does not answer.']])
})
