import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UsageTotals } from '../../src/model/quotas.ts'
import type { Run } from '../../src/model/runs.ts'
import { TestServer, python } from './harness.ts'

const SOURCE = `
import time

def handler(input: dict) -> dict:
    if input["do"] == "sleep":
        print(input.get("say", "asleep"), flush=True)
        time.sleep(input["seconds"])
    if input["do"] == "work":
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
    if input["do"] == "fill":
        kept = []
        while True:
            kept.append(bytearray(16 << 20))
    if input["do"] == "fail":
        raise ValueError("no")
    return {"kept": len(bytearray(64 << 20))}
`

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.deploy('worker', python('worker', SOURCE), { size: 'S', timeout_s: 1 })
  await server.deploy('patient', python('patient', SOURCE), { size: 'S' })
})
afterAll(() => server.stop())

/** What is true of everything that was executed. */
function expectMetered(run: Run): void {
  expect(run.billable_ms).toBe(Math.ceil(run.execution_ms!))
  expect(run.usage!.wall_ms).toBeGreaterThan(0)
  expect(run.usage!.wall_ms).toBeLessThanOrEqual(run.execution_ms! + 1)
  expect(['hard', 'soft']).toContain(run.usage!.limits)
}

test('wall time, CPU time and peak memory are those of the run, and it is billed for execution alone', async () => {
  const worked = await server.run('patient', { do: 'work' })
  expectMetered(worked)
  expect(worked.usage!.cpu_ms).toBeGreaterThanOrEqual(290)
  expect(worked.usage!.peak_memory_bytes).toBeGreaterThan(32 << 20)
  const slept = await server.run('patient', { do: 'sleep', seconds: 0.4 })
  expectMetered(slept)
  expect(slept.billable_ms).toBeGreaterThanOrEqual(400)
  // The run before it used the same session.
  expect(slept.usage!.cpu_ms).toBeLessThan(290)
})

test('what fails, takes too long, or needs too much memory is billed as far as it came', async () => {
  const failed = await server.run('worker', { do: 'fail' })
  expect(failed).toMatchObject({ status: 'failed', reason: 'runtime_error' })
  expectMetered(failed)
  const late = await server.run('worker', { do: 'sleep', seconds: 60 })
  expect(late).toMatchObject({ status: 'failed', reason: 'timeout' })
  expectMetered(late)
  expect(late.billable_ms).toBeGreaterThanOrEqual(1000)
  const large = await server.run('patient', { do: 'fill' })
  expect(large).toMatchObject({ status: 'failed', reason: 'memory_limit' })
  expectMetered(large)
  expect(large.usage!.peak_memory_bytes).toBeGreaterThan(128 << 20)
})

test('what is cancelled while it runs is billed until then, what never began is not', async () => {
  const begun = await server.begin('patient', { do: 'sleep', seconds: 60, say: 'nobody else says this' })
  // Running is also what is only being begun: what it says itself comes from the skill.
  await server.events(
    begun,
    undefined,
    ({ type, data }) => type === 'log' && JSON.stringify(data).includes('nobody else'),
  )
  await server.ok('POST', `/api/runs/${begun}/cancel`)
  const cancelled = await server.finished(begun)
  expect(cancelled.status).toBe('cancelled')
  expectMetered(cancelled)
  const totals = async () => (await server.ok<{ totals: UsageTotals }>('GET', '/api/usage')).totals
  const before = await totals()
  const md = '---\nname: told\ndescription: Tells.\n---\nA text.\n'
  await server.deploy('told', { 'SKILL.md': md, 'scripts/say.py': 'print(1)\n' })
  const read = await server.run('told', {})
  expect(read).toMatchObject({ status: 'succeeded', usage: null, execution_ms: null, billable_ms: null })
  const refused = await server.run('told', { script: 'scripts/none.py' })
  expect(refused).toMatchObject({ status: 'failed', usage: null, execution_ms: null, billable_ms: null })
  expect((await totals()).billable_ms).toBe(before.billable_ms)
})
