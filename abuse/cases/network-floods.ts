import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { listen } from '../../src/net/fixtures/listen.ts'
import type { NetworkEntry } from '../../src/model/network.ts'
import type { Session } from '../../src/runtime/driver.ts'
import { startingPython } from '../attacks.ts'
import type { AbuseCase, AbuseWorld } from '../case.ts'
import { CONNECTING_PYTHON, allowed, control } from '../connecting.ts'
import { hold } from '../hold.ts'

const FLOODING = `${CONNECTING_PYTHON}
import json, os, time
def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return os.urandom(2) + b"\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00" + labels + b"\\x00\\x00\\x01\\x00\\x01"
def ask(count, name):
    """How many different names of so many are answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        it.connect(("127.0.0.1", 53))
        it.setblocking(False)
        answered = set()
        sent, end, latest = 0, time.monotonic() + 90, time.monotonic()
        # Until no answers come any more.
        while time.monotonic() < end and (sent < count or time.monotonic() < latest + 3):
            for _ in range(20):
                if sent < count:
                    try: it.send(query(name(sent))); sent += 1
                    except OSError: break
            try:
                while True:
                    answer = it.recv(512)
                    latest = time.monotonic()
                    if answer[7]: answered.add(answer[12:answer.index(b"\\0", 12)])
            except OSError: pass
            time.sleep(0.002)
        return len(answered)
def longest(i): return ".".join([f"{i:05}".ljust(63, "x"), "y" * 63, "z" * 60, "c51-wild.example.com"])
def open_still(it):
    try: return it.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError: return True
    except OSError: return False
def handler(input):
    address = socket.gethostbyname("c51.example.com")
    kept = []
    for i in range(500):
        it = socket.socket()
        it.setblocking(False)
        try: it.connect((address, input["port"]))
        except BlockingIOError: pass
        except OSError: it.close(); continue
        kept.append(it)
        if i % 50 == 0: time.sleep(0.1)
    # Where more come than are accepted the kernel forgets some that have connected, for all they know: who speaks learns it. What was
    # refused is seen to be a moment later.
    spoken = []
    patience = time.monotonic() + 90
    while True:
        for it in [one for one in kept if one not in spoken]:
            try: it.send(b"GET / HTT"); spoken.append(it)
            except OSError: pass
        alive = sum(map(open_still, spoken))
        if (len(spoken) >= input["most"] and alive <= input["most"]) or time.monotonic() > patience: break
        time.sleep(0.05)
    names = ask(4000, lambda i: longest(i))
    print(json.dumps({"names": names, "alive": alive, "made": len(kept)}), flush=True)
    time.sleep(100)
`

/** Of one sandbox, as docs/limits.md has it: written down once more, on purpose. */
const MOST = { connections: 128, names: 1024 }

/** One sandbox asks for all that it can get; another, of another tenant, reaches what it may meanwhile. */
async function flooded(world: AbuseWorld): Promise<void> {
  world.network.name('c51.example.com', () => ['127.0.0.1'])
  const node = startingPython(FLOODING).replace("encoding: 'utf8'", "encoding: 'utf8', stdio: 'inherit'")
  await Promise.all([
    floodedBy(world, (network) => world.python(FLOODING, { network })),
    floodedBy(world, (network) => world.node(node, { network })),
  ])
  assert.deepEqual(world.network.asked('c51-wild'), [], 'names were looked up that nobody connected to')
}

async function floodedBy(world: AbuseWorld, make: (network: NetworkEntry[]) => Promise<Session>): Promise<void> {
  const own = await listen(createServer(() => undefined))
  world.after(() => own[Symbol.asyncDispose]())
  const neighbour = await world.python(CONNECTING_PYTHON, allowed(world))
  const session = await make([
    { name: 'c51.example.com', wildcard: false, ports: [own.port] },
    { name: 'c51-wild.example.com', wildcard: true, ports: [own.port] },
  ])
  const held = await hold(session, { port: own.port, most: MOST.connections })
  const { names, alive, made } = JSON.parse(held.said) as Record<string, number>
  assert.ok(made! > 128, `only ${made} connections were tried`)
  assert.ok(alive! > 0 && alive! <= MOST.connections, `${alive} connections at once`)
  assert.ok(names! > 0 && names! <= MOST.names, `${names} names`)
  const outside = own.connections()
  assert.ok(outside <= made! && outside > 0, `${outside} connections outside`)
  const { output } = await world.invoke(neighbour, { targets: [control(world)] })
  assert.deepEqual(Object.values(output as object), ['reached: hello'])
  await held.end()
  await session.kill()
}

/** More of the way out than one sandbox's share. */
export const NETWORK_FLOODS: readonly AbuseCase[] = [
  { number: 51, title: 'thousands of names, connections and half-open ones', load: 'heavy', world: flooded },
]
