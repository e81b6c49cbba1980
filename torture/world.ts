import { randomBytes } from 'node:crypto'
import { type Files, python, typescript, zipOf } from '../tests/e2e/harness.ts'
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Upload } from '../src/model/skills.ts'
import type { Api } from './api.ts'

/** Short and long runs, in both languages, and one that often fails and is tried again. */
const SKILLS: readonly { readonly files: Files; readonly name: string; readonly config?: object }[] = [
  { name: 'quick-py', files: python('quick-py', 'def handler(input: dict) -> dict:\n    return input\n') },
  {
    name: 'quick-ts',
    files: typescript('quick-ts', 'export async function execute(input: object) { return input }\n'),
  },
  {
    name: 'slow',
    files: python(
      'slow',
      'import time\n\ndef handler(input: dict) -> dict:\n    print("at it")\n    time.sleep(0.3)\n    return input\n',
    ),
  },
  {
    name: 'flaky',
    files: python(
      'flaky',
      'import random\n\ndef handler(input: dict) -> dict:\n    if random.random() < 0.4:\n        raise RuntimeError("not today")\n    return input\n',
    ),
    config: { retry: { attempts: 3, backoff_s: 0.2 } },
  },
  { name: 'tick', files: python('tick', 'def handler(input: dict) -> dict:\n    return {"ticked": True}\n') },
]

/** The schedule that fires every minute. */
export const TICKING = '/api/skills/tick/stages/dev/schedule'

/** A value that signs webhooks. */
export const newWebhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

/** Everything that is to survive: skills that run, webhooks on all of them, a schedule every minute, a quota that counts. */
export async function makeWorld(
  api: Api,
  operator: Api,
  sink: { readonly url: string; readonly secret: string },
): Promise<void> {
  // A day and a month that do not end while this goes on, though the clock jumps.
  const { tenant } = await api.ask<{ tenant: string }>('GET', '/api/whoami')
  const ahead = 12 - new Date().getUTCHours()
  const zone = ahead === 0 ? 'UTC' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`
  await operator.ask('PATCH', `/api/tenants/${tenant}`, { zone })
  await api.ask('PUT', '/api/quota', { caps: { runs_per_month: 1_000_000 } })
  await api.ask('POST', '/api/secrets', { name: 'hook', value: sink.secret })
  for (const { name, files, config = {} } of SKILLS) {
    await deploy(api, name, files, { size: 'S', ...config })
    const stage = `/api/skills/${name}/stages/dev`
    await api.ask('PUT', `${stage}/webhook`, { url: sink.url, secret: 'hook' })
  }
  await api.ask('PUT', TICKING, { cron: '* * * * *', zone: 'UTC', overlap: 'allow' })
}

async function deploy(api: Api, skill: string, files: Files, config: object): Promise<void> {
  await api.ask('POST', '/api/skills', { name: skill, description: 'Of the torture.' })
  const stage = `/api/skills/${skill}/stages/dev`
  await api.ask('PUT', stage, { config })
  const zip = await zipOf(files)
  const sha256 = createHash('sha256').update(zip).digest('hex')
  const ticket = await api.ask<{ upload_id: string; url: string; headers: Record<string, string> }>(
    'POST',
    `${stage}/uploads`,
    { size: zip.length, sha256 },
  )
  const put = await fetch(ticket.url, { method: 'PUT', headers: ticket.headers, body: new Uint8Array(zip) })
  if (!put.ok) throw new Error(`PUT: ${put.status} ${await put.text()}`)
  for (;;) {
    const upload = await api.ask<Upload>('GET', `${stage}/uploads/${ticket.upload_id}`)
    if (upload.state === 'rejected') throw new Error(`${skill} was rejected: ${JSON.stringify(upload.findings)}`)
    if (upload.state === 'accepted') break
    await pause(50)
  }
  await api.ask('POST', `${stage}/deploy`, { bump: 'major', change_level: 'major' })
}
