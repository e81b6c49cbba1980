import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** In a process that may have so many files open, with what it needs at hand. @returns What it says. */
async function run(files: number, program: string): Promise<unknown> {
  const given = `const { openWayOut } = await import(${JSON.stringify(new URL('./fixtures/way-out.ts', import.meta.url).href)})
    const { openSync } = await import('node:fs')
    const wayOut = await openWayOut(() => ['127.0.0.2'])
    const join = (ports) => wayOut.join(['api.example.com'], ports, { names: 1 }).catch((error) => error.name + ': ' + error.message)
    ${program}
    process.exit(0)`
  const limited = ['-c', `ulimit -n ${files} && exec "$0" --input-type=module -e "$1"`, process.execPath, given]
  return JSON.parse((await promisify(execFile)('sh', limited)).stdout)
}

test('where too many files are open a sandbox has all of its way out or none, and others keep theirs', async () => {
  const said = await run(
    48,
    `const first = await join([])
     const others = []
     for (let i = 0; i < 10; i++) others.push(await join([0, 0, 0]))
     const lost = others.filter((one) => typeof one === 'string')
     console.log(JSON.stringify({ lost: [...new Set(lost)], found: await first.lookUp('api.example.com'), errors: wayOut.errors }))`,
  )
  expect(said).toEqual({
    lost: [expect.stringMatching(/^EgressUnavailable: \d of its sockets did not arrive\.$/)],
    found: ['127.77.0.1'],
    errors: [],
  })
})

test('a server that may open no more files goes on without a way out for sandboxes', async () => {
  const said = await run(
    64,
    `const open = []
     const fill = () => { for (;;) try { open.push(openSync('/dev/null')) } catch { return } }
     fill()
     // For the socket that a sandbox would have sent.
     const { closeSync } = await import('node:fs')
     closeSync(open.pop())
     const said = await join([])
     for (const one of open) closeSync(one)
     console.log(JSON.stringify([said, await (await join([])).lookUp('api.example.com')]))`,
  )
  expect(said).toEqual([
    'EgressUnavailable: The process that forwards the traffic of skills cannot be started now.',
    ['127.77.0.1'],
  ])
})
