import { createHash, randomBytes } from 'node:crypto'
import yazl from 'yazl'
import type { Client } from './client.ts'
import { setTimeout as pause } from 'node:timers/promises'

export type Files = Record<string, string | Buffer>

/** Trivial handlers: what is measured is Skillet. */
export const PYTHON: Files = {
  'skill.yaml': 'name: bench-python\ndescription: Adds two numbers for the benchmark.\n',
  'main.py':
    'from typing import TypedDict\n\n\nclass Input(TypedDict):\n    a: int\n    b: int\n\n\ndef handler(input: Input) -> dict:\n    """Adds two numbers."""\n    return {"sum": input["a"] + input["b"]}\n',
}

export const TYPESCRIPT: Files = {
  'spm.yaml':
    'spm: "1.0"\nnamespace: bench\nname: bench-typescript\nversion: 1.0.0\ndescription: Adds two numbers for the benchmark.\nentry: ./index.ts\nruntime: node\ninput:\n  type: object\n  properties: { a: { type: integer }, b: { type: integer } }\n  required: [a, b]\noutput:\n  type: object\n  properties: { sum: { type: integer } }\n  required: [sum]\n',
  'index.ts':
    'export async function execute(params: { a: number; b: number }): Promise<{ sum: number }> {\n  return { sum: params.a + params.b }\n}\n',
}

export const withPadding = (files: Files, bytes: number): Files => ({ ...files, 'data.bin': randomBytes(bytes) })

/** Uploads the files to the stage and waits until it is ready to deploy. Answers with the milliseconds from asking for the URL to ready. */
export async function upload(client: Client, skill: string, stage: string, files: Files): Promise<number> {
  const zip = await zipOf(files)
  const began = performance.now()
  const path = `/api/skills/${skill}/stages/${stage}/uploads`
  const ticket = await client.json<{ upload_id: string; url: string; headers: Record<string, string> }>('POST', path, {
    size: zip.length,
    sha256: createHash('sha256').update(zip).digest('hex'),
  })
  const put = await client.send('PUT', ticket.url, zip, ticket.headers)
  if (put.status >= 300) throw new Error(`The upload answered ${put.status}: ${put.body}`)
  for (;;) {
    const now = await client.json<{ state: string; findings: unknown }>('GET', `${path}/${ticket.upload_id}`)
    if (now.state === 'accepted') return performance.now() - began
    if (now.state === 'rejected') throw new Error(`The package was rejected: ${JSON.stringify(now.findings)}`)
    await pause(3)
  }
}

export async function deploy(client: Client, skill: string, stage: string, config: object): Promise<void> {
  await client.json('PUT', `/api/skills/${skill}/stages/${stage}`, { config })
  await client.json('POST', `/api/skills/${skill}/stages/${stage}/deploy`, { bump: 'patch', change_level: 'major' })
}

function zipOf(files: Files): Promise<Buffer> {
  const zip = new yazl.ZipFile()
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content as Buffer), name)
  zip.end()
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  zip.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk))
  zip.outputStream.on('end', () => resolve(Buffer.concat(chunks)))
  zip.outputStream.on('error', reject)
  return promise
}
