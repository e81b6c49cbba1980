// npm run torture: a real server under load that is killed, stopped, starved of disk and lied to about the time, again and again; then
// questions from the outside. Options: --cycles (default 200), --seed, --check-every (default 25 cycles), --json.
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { leftoversOf } from '../tests/support/leftovers.ts'
import { createApi } from './api.ts'
import { check } from './checks.ts'
import { FAULTS } from './faults.ts'
import { startLoad } from './load.ts'
import { createRandom } from './random.ts'
import { startReader } from './reader.ts'
import { TorturedServer } from './server.ts'
import { openSink } from './sink.ts'
import { leftIn, settled } from './traces.ts'
import { TICKING, makeWorld, newWebhookSecret } from './world.ts'

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '200' },
    seed: { type: 'string' },
    'check-every': { type: 'string', default: '25' },
    json: { type: 'boolean', default: false },
  },
})
const cycles = Number(values.cycles)
const every = Number(values['check-every'])
const seed = Number(values.seed ?? randomInt(2 ** 31))
const say = (text: string): void => void process.stderr.write(`${text}\n`)

if ([cycles, every, seed].every(Number.isInteger) && cycles > 0 && every > 0) process.exitCode = await main()
else {
  say('Usage: npm run torture -- [--cycles 200] [--seed number] [--check-every 25] [--json]')
  process.exitCode = 2
}

async function main(): Promise<number> {
  const began = performance.now()
  say(`torture: ${cycles} cycles, seed ${seed}`)
  // What is done is the same for the same seed; when it meets what is never the same twice.
  const random = createRandom(seed)
  const chance = createRandom(seed + 1)
  const folder = mkdtempSync(join(tmpdir(), 'skillet-torture-'))
  const dataDir = join(folder, 'data')
  const server = new TorturedServer(dataDir, folder)
  const secret = newWebhookSecret()
  const sink = await openSink(secret, createRandom(seed + 2))
  const api = createApi(server, () => server.key())
  const leftovers = leftoversOf(dataDir)
  const done: Record<string, number> = {}
  const wrong: string[] = []
  const acknowledged = new Set<string>()
  try {
    await server.start()
    await makeWorld(
      api,
      createApi(server, () => server.key('operator')),
      { url: sink.url, secret },
    )
    const reader = startReader(server, '/api/events')
    await reader.open
    for (let cycle = 1; cycle <= cycles && wrong.length === 0;) {
      const load = startLoad(api, chance, { name: String(cycle), callers: 12, acknowledged })
      for (const end = Math.min(cycles, cycle + every - 1); cycle <= end; cycle++) {
        const fault = random.pick(Object.keys(FAULTS))
        done[fault] = (done[fault] ?? 0) + 1
        say(`${String(cycle).padStart(4)}  ${fault}`)
        await FAULTS[fault]!({ server, leftovers, random })
      }
      await load.stop()
      // What the wrong time put off comes when it is later than it ever was.
      server.setClock(2 * 3_600_000)
      // Nothing more begins by itself, or what is asked for first would not know what is asked for last.
      await api.ask('POST', `${TICKING}/pause`)
      wrong.push(...load.complaints, ...(await check(api, { acknowledged, seen: reader.seen, sink })))
      server.setClock(0)
      await api.ask('POST', `${TICKING}/resume`)
      say(
        `      ${acknowledged.size} runs acknowledged, ${sink.received.size} webhooks received, ${reader.seen.length} events read: ${wrong.length} wrong`,
      )
    }
    await reader.close()
    await server.kill('SIGTERM')
    wrong.push(...(await leftIn(dataDir, leftovers)))
  } catch (error) {
    wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    await server.kill('SIGKILL')
    await settled(leftovers)
    sink.close()
  }
  const report = {
    cycles,
    seed,
    seconds: Math.round((performance.now() - began) / 1000),
    faults: done,
    acknowledged: acknowledged.size,
    received: sink.received.size,
    wrong,
  }
  if (values.json) console.log(JSON.stringify(report, null, 2))
  for (const one of wrong.slice(0, 50)) say(`WRONG  ${one}`)
  if (wrong.length === 0) rmSync(folder, { recursive: true, force: true })
  else
    say(
      `The last of the server's log:\n${server.log.slice(-40).join('\n')}\nIts data is kept in ${folder}. Again: npm run torture -- --cycles ${cycles} --seed ${seed}`,
    )
  say(
    `torture: ${wrong.length === 0 ? 'clean' : `${wrong.length} wrong`}, ${cycles} cycles, seed ${seed}, ${report.seconds} s`,
  )
  return wrong.length === 0 ? 0 : 1
}
