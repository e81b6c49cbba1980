import assert from 'node:assert/strict'
import { startingPython } from '../attacks.ts'
import type { AbuseCase, AttackRun, AbuseWorld } from '../case.ts'

const MEMORY_MB = 128
const small = { memory_mb: MEMORY_MB }

/** The session is not used again after its memory ran out. */
const spoiled = ({ session }: AttackRun): void => assert.equal(session.usable, false, 'the session would serve again')

const MEMFD = `
import errno, os
def handler(input):
    kept = []
    for _ in range(64):
        try: kept.append(os.memfd_create("bomb"))
        except OSError as error: return errno.errorcode[error.errno]
        for _ in range(4): os.write(kept[-1], bytes(2**22))
    return "took a gigabyte"
`
/** Charged like all other memory; a watchdog cannot see it, so there is none where that is what holds the limit. */
function noMemfd({ result, output, session }: AttackRun, { limits }: AbuseWorld): void {
  if (limits === 'soft') return assert.equal(output, 'ENOSYS')
  assert.equal(result.status, 'failed')
  assert.equal(session.usable, false)
}

const FILL = `
import os, errno
def handler(input):
    found = {}
    for folder in ("/tmp", "/dev/shm"):
        found[folder] = {"before": os.listdir(folder)}
        if input.get("look"): continue
        size = 0
        with open(folder + "/full", "wb", 0) as file:
            try:
                while size < 2**32: size += file.write(bytes(2**20))
            except OSError as error: found[folder]["error"] = errno.errorcode[error.errno]
        found[folder]["mb"] = size / 2**20
    return found
`

async function full({ output, session }: AttackRun, world: AbuseWorld): Promise<void> {
  const found = output as Record<string, { mb: number; error?: string }>
  for (const [folder, share] of [
    ['/tmp', 2],
    ['/dev/shm', 4],
  ] as const) {
    assert.equal(found[folder]?.error, 'ENOSPC', folder)
    assert.ok(found[folder].mb <= 256 / share, `${folder} took ${found[folder].mb} MB`)
  }
  const { output: next } = await world.again(session, { look: true })
  assert.deepEqual(next, { '/tmp': { before: [] }, '/dev/shm': { before: [] } })
}

const INODES = `
import os
def handler(input):
    for i in range(20_000_000): os.mkdir(f"/tmp/{i:x}")
`
/** Taking more than one's share of memory, whatever it is called. */
export const MEMORY: readonly AbuseCase[] = [
  {
    number: 2,
    title: 'memory bomb',
    load: 'heavy',
    python: [
      {
        code: 'def handler(input):\n  kept = []\n  while True: kept.append(bytearray(2**22))',
        spec: small,
        outcome: 'failed/memory_limit',
        held: spoiled,
      },
      {
        // Shared pages are nobody's own: who looks at private ones alone does not see them.
        code: 'import mmap\ndef handler(input):\n  kept = []\n  while True:\n    kept.append(mmap.mmap(-1, 2**22)); kept[-1].write(bytes(2**22))',
        spec: small,
        outcome: 'failed/memory_limit',
        held: spoiled,
      },
      {
        // Pages that were never written are one and the same; the tables that say so are not.
        code: 'import mmap\ndef handler(input):\n  kept = []\n  while True:\n    kept.append(mmap.mmap(-1, 2**36, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, mmap.PROT_READ))\n    for at in range(0, 2**36, 2**21): kept[-1][at]',
        spec: small,
        outcome: 'failed/memory_limit',
        held: spoiled,
      },
    ],
    node: {
      code: 'export function execute() { const kept = []; for (;;) kept.push(Buffer.alloc(2 ** 22, 1)) }',
      spec: small,
      outcome: 'failed/memory_limit',
      held: spoiled,
    },
  },
  {
    number: 3,
    title: 'V8 heap bomb',
    load: 'heavy',
    node: {
      code: 'export function execute() { const kept = []; for (let i = 0; ; i++) kept.push({ i, text: [`a${i}`, `b${i}`] }) }',
      spec: small,
      // It collects garbage before it gives up, which takes its time on a busy machine.
      timeout_ms: 60_000,
      outcome: 'failed/memory_limit',
      held: spoiled,
    },
  },
  {
    number: 4,
    title: 'memory in files without a name (memfd)',
    load: 'heavy',
    python: { code: MEMFD, spec: small, outcome: /^(failed\/memory_limit|succeeded)$/, held: noMemfd },
    node: { code: startingPython(MEMFD), spec: small, outcome: /^(failed\/memory_limit|succeeded)$/, held: noMemfd },
  },
  {
    number: 5,
    title: 'filling /tmp and /dev/shm',
    python: { code: FILL, outcome: 'succeeded', held: full },
    node: { code: startingPython(FILL), outcome: 'succeeded', held: full },
  },
  {
    number: 6,
    title: 'flood of inodes in /tmp',
    load: 'heavy',
    // The less there is the sooner it is full.
    python: { code: INODES, spec: { memory_mb: 64 }, outcome: 'failed/memory_limit', held: spoiled },
    node: {
      code: "import { mkdirSync } from 'node:fs'\nexport function execute() { for (let i = 0; ; i++) mkdirSync(`/tmp/${i}`) }",
      spec: { memory_mb: 96 },
      outcome: 'failed/memory_limit',
      held: spoiled,
    },
  },
]
