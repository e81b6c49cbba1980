import { randomBytes } from 'node:crypto'
import type { Api } from '../src/cli/api.ts'
import { painter, type Io } from '../src/cli/io.ts'
import type { Progress } from '../src/cli/progress.ts'
import type { Role } from '../src/model/access.ts'
import type { Things } from './fuzz-document.ts'
import { SAMPLES, STAGE, deploySample, sampleInput } from './samples.ts'

export interface World {
  /** Things that are there all the time. */
  readonly lasting: Things
  /** Things that nobody needs. */
  readonly doomed: Things
  /** Of every role but owner and operator, with a grant of everything. */
  readonly keys: Readonly<Record<Exclude<Role, 'owner'>, string>>
}

/** Where webhooks are not taken: a port on this machine that nobody has. */
const NOBODY = 'http://127.0.0.1:9/'

/** So many of each kind of thing may be deleted. */
const DOOMED = 25

/** Skills that run, and one of everything that the API knows. */
export async function makeWorld(owner: Api, operator: Api, progress: Progress, io: Io): Promise<World> {
  const lasting: Record<string, string[]> = { stage: [STAGE] }
  const note = (kind: string, ...ids: string[]): void => void (lasting[kind] ??= []).push(...ids)
  const value = `whsec_${randomBytes(32).toString('base64')}`
  const signing = await owner.createSecret({ name: 'SIGNING', kind: 'value', value })
  for (const sample of SAMPLES) {
    const { id, skill, stage, version } = await deploySample(owner, sample, progress, painter(io, 'err'), io.signal)
    // Twice, so that there is something to go back to.
    await owner.deploy(sample.name, STAGE, { change_level: 'major' })
    note('skill', sample.name, skill)
    note('stage', stage)
    note('deployment', id)
    note('version', version, '1.0.0')
    await owner.putSchedule(sample.name, STAGE, { cron: '* * * * *', input: sampleInput(sample), revision: 0 })
    await owner.putWebhook(sample.name, STAGE, { url: NOBODY, secret: signing.id, revision: 0 })
    progress.begin(`Running ${sample.name}`)
    note('run', (await owner.invoke(sample.name, STAGE, sampleInput(sample), 60)).id)
    const ticket = await owner.createUpload(sample.name, STAGE, { size: 1, sha256: '0'.repeat(64) })
    note('upload', ticket.upload_id)
  }
  progress.begin('Making keys, grants, secrets and tenants')
  const newKey = (role: Role, name: string) => owner.createKey({ role, name, expires_at: null })
  const grant = (principal: string) =>
    owner.createGrant({ principal, allowed_skills: ['*'], stages: null, expires_at: null })
  const [developer, viewer, agent] = [
    await newKey('developer', 'fuzz'),
    await newKey('viewer', 'fuzz'),
    await newKey('agent', 'fuzz'),
  ]
  note('key', developer.id, viewer.id, agent.id)
  for (const { id } of [developer, agent]) note('grant', (await grant(id)).id)
  note('secret', (await owner.createSecret({ name: 'LASTING', kind: 'value', value: 'lasting' })).id)
  note('tenant', (await operator.createTenant({ name: 'lasting' })).tenant.id)

  const doomed: Record<string, string[]> = { stage: [STAGE], skill: [], key: [], grant: [], secret: [], tenant: [] }
  for (let i = 0; i < DOOMED; i++) {
    doomed['skill']!.push((await owner.createSkill(`doomed-${i}`, 'May be deleted.')).id)
    await owner.putStage(`doomed-${i}`, STAGE, {})
    const key = await newKey('developer', `doomed ${i}`)
    doomed['key']!.push(key.id)
    doomed['grant']!.push((await grant(key.id)).id)
    doomed['secret']!.push((await owner.createSecret({ name: `DOOMED_${i}`, kind: 'value', value: 'doomed' })).id)
    doomed['tenant']!.push((await operator.createTenant({ name: `doomed-${i}` })).tenant.id)
  }
  const { items } = await owner.listDeliveries({ limit: 10 })
  note('delivery', ...items.map(({ id }) => id))
  progress.end()
  return { lasting, doomed, keys: { developer: developer.key, viewer: viewer.key, agent: agent.key } }
}
