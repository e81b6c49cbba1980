import assert from 'node:assert/strict'
import type { AbuseCase, Attack, AttackRun, AbuseWorld } from '../case.ts'

/** In a Node skill: `send` writes a frame as the host would. */
const FRAME = `
import { writeSync } from 'node:fs'
const send = (header, body = '') => {
  const head = Buffer.from(JSON.stringify(header))
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(head.length, 0)
  lengths.writeUInt32BE(Buffer.byteLength(body), 4)
  writeSync(4, Buffer.concat([lengths, head, Buffer.from(body)]))
}
const forever = () => new Promise(() => setInterval(() => {}, 1000))
const guessed = '0'.repeat(32)
`
const forging = (attack: string): string => `${FRAME}export async function execute(input) { ${attack} }`

/** In a Python skill: `own` is the pipe on which its own answer goes; `frame` makes what goes there. */
const PIPE = `
import os, time, json
def frame(header, body=b"1"):
    head = json.dumps(header).encode()
    return len(head).to_bytes(4, "big") + len(body).to_bytes(4, "big") + head + body
def pipes():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2 and os.readlink("/proc/self/fd/" + name).startswith("pipe:"): found.append(int(name))
        except OSError: pass
    return found
def send(data):
    for fd in pipes():
        try: os.write(fd, data)
        except OSError: pass
GUESSED = "0" * 32
`
const python = (attack: string): string => `${PIPE}
def handler(input):
    ${attack}
`

/** It is not listened to again. */
async function over({ session }: AttackRun, world: AbuseWorld): Promise<void> {
  assert.equal(await session.idle(), false, 'the session would serve again')
  assert.equal((await world.invoke(session, {})).result.status, 'failed')
}

const fault = (code: string): Attack => ({ code, outcome: 'failed/sandbox_error', held: over })

/** The result of the run, or nothing at all: what it was not given for does not count. */
const ownOrNone = ({ result }: AttackRun): void => {
  if (result.status === 'succeeded') assert.equal(result.output, '1')
}

/** Speaking for another run, or for the host in the sandbox. */
export const FORGED_ANSWERS: readonly AbuseCase[] = [
  {
    number: 45,
    title: 'forged answers: guessed and old nonces, two results, too late, half a frame',
    python: [
      fault(python('send(b"x" * 100); return 1')),
      fault(python('send(b"\\xff" * 8); return 1')),
      fault(python('send(frame({"type": "result", "nonce": GUESSED})); return 1')),
      fault(python('send(frame({"type": "result", "nonce": GUESSED})); os._exit(0)')),
      fault(python('send(frame({"type": "result"})); os._exit(0)')),
      fault(python('send(frame({"type": "grant"})); os._exit(0)')),
      fault(python('send(frame([1])); os._exit(0)')),
      fault(python('send(frame({"type": "ready"}, b"")); os._exit(0)')),
      fault(
        python('send(frame({"type": "error", "nonce": GUESSED, "reason": "worker_lost", "error": {}})); os._exit(0)'),
      ),
      {
        code: python('send(b"\\0\\0\\0\\x09\\0\\0\\0\\0half"); time.sleep(100)'),
        outcome: 'failed/timeout',
        timeout_ms: 1500,
      },
      { code: python('send(b"\\0\\0\\0\\x09\\0\\0\\0\\0half"); os._exit(0)'), outcome: 'failed/runtime_error' },
      {
        // A process of its own that speaks when the run is long over.
        code: python(`
    if os.fork() == 0:
        os.setsid()
        time.sleep(0.3)
        while True: send(frame({"type": "result", "nonce": GUESSED}, b'"late"')); time.sleep(0.01)
    return 1`),
        outcome: /^(succeeded|failed\/sandbox_error)$/,
        held: ownOrNone,
      },
      {
        code: python(`
    refused = []
    for path in ("mem", "fd/3", "fd/4", "environ", "maps"):
        try: os.open(f"/proc/{os.getppid()}/{path}", os.O_RDONLY)
        except OSError: refused.append(path)
    return refused + [fd for fd in (3, 4) if fd in pipes()]`),
        outcome: 'succeeded',
        held: ({ output }) => assert.deepEqual(output, ['mem', 'fd/3', 'fd/4', 'environ', 'maps']),
      },
    ],
    node: [
      ...[
        'writeSync(4, "x".repeat(100))',
        'writeSync(4, Buffer.alloc(8, 255))',
        'send({ type: "result", nonce: guessed }, "1")',
        'send({ type: "result" }, "1")',
        'send({ type: "grant" })',
        'send([1])',
        'send({ type: "ready" })',
        'send({ type: "error", nonce: guessed, reason: "worker_lost", error: {} })',
        'send(JSON.parse(`{"__proto__":{"type":"ready"}}`))',
      ].map((attack) => fault(forging(`${attack}; await forever()`))),
      {
        code: forging('writeSync(4, Buffer.from([0, 0, 0, 9])); await forever()'),
        outcome: 'failed/timeout',
        timeout_ms: 1500,
      },
      { code: forging('writeSync(4, Buffer.from([0, 0, 0, 9])); process.exit(0)'), outcome: 'failed/runtime_error' },
      {
        code: forging(
          'return { toJSON() { process.nextTick(() => send({ type: "result", nonce: guessed }, "2")); return 1 } }',
        ),
        outcome: /^(succeeded|failed\/sandbox_error)$/,
        held: async (ran) => {
          ownOrNone(ran)
          assert.equal(await ran.session.idle().then(() => settled(ran)), false, 'the session would serve again')
        },
      },
      {
        // The number of the run before, which a skill may see by way of what all objects inherit.
        code: `${FRAME}
let seen
export async function execute({ again }) {
  if (again) { send({ type: 'result', nonce: seen }, '"of the run before"'); await forever() }
  Object.defineProperty(Object.prototype, 'toJSON', { configurable: true, value() { seen ??= this.nonce; return this } })
  return 1
}`,
        outcome: 'succeeded',
        held: async (ran, world) => {
          const second = await world.invoke(ran.session, { again: true })
          assert.ok(
            second.result.status === 'failed' && second.result.reason === 'sandbox_error',
            JSON.stringify(second.result),
          )
          await over(ran, world)
        },
      },
    ],
  },
]

/** After a moment in which what was written last is read. */
async function settled({ session }: AttackRun): Promise<boolean> {
  for (let i = 0; i < 100 && session.usable; i++) await new Promise((resolve) => setTimeout(resolve, 10))
  return session.usable
}
