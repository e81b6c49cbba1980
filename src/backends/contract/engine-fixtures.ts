import type { ApiKey, Tenant } from '../../model/access.ts'
import { type AuditAction, type AuditNote, noteOf } from '../../model/audit.ts'
import { newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Package } from '../../model/packages.ts'
import type { Run } from '../../model/runs.ts'
import type { Deployment, Skill, Stage, Upload, Version } from '../../model/skills.ts'
import type { SigningKey } from '../../model/signatures.ts'
import type { Engine } from '../ports.ts'
import type { Ending, RunStore } from '../run-ports.ts'

/** What a backend gives to the contract. */
export interface OpenEngine {
  readonly engine: Engine
  close(): Promise<void>
}

/** A tenant with a skill whose stage `prod` serves version 1.0.0. */
export interface Place {
  readonly tenant: string
  readonly skill: Skill
  readonly stage: Stage
  readonly deployment: Deployment
}

export async function settle(engine: Engine, tenant: string = newId('tenant'), name: string = 'notes'): Promise<Place> {
  const skill = newSkill(tenant, name)
  await engine.skills.createSkill(skill, newNote(tenant, 'skill.create', skill.id))
  const before = await engine.skills.putStage(tenant, skill.id, 'prod', null, undefined, newNote(tenant, 'stage.put'))
  const deployment = newDeployment(before, '1.0.0')
  const stage = await activate(engine, before, deployment)
  return { tenant, skill, stage, deployment }
}

/** With a key of its own, and a name that no other has. */
export function newTenant(change: Partial<Tenant> = {}): { tenant: Tenant; key: ApiKey; hash: string } {
  const id = newId('tenant')
  const name = id.replace('_', '-')
  const tenant: Tenant = {
    id,
    name,
    suspended: false,
    zone: 'UTC',
    retention_days: 30,
    audience: 'tenant',
    created_at: now(),
    ...change,
  }
  return { tenant, ...newApiKey(tenant.id) }
}

export function newApiKey(tenant: string, change: Partial<ApiKey> = {}): { key: ApiKey; hash: string } {
  const key: ApiKey = {
    id: newId('key'),
    tenant,
    role: 'owner',
    name: 'owner',
    prefix: 'sk_abc',
    created_by: null,
    created_at: now(),
    expires_at: null,
    last_used_at: null,
    revoked_at: null,
    ...change,
  }
  return { key, hash: key.id.padEnd(64, '0') }
}

/** What somebody does in a tenant. */
export function newNote(tenant: string, action: AuditAction, target: string = 'x'): AuditNote {
  const kind = action.split('.')[0]!
  const caller = { kind: 'key', id: 'key_1', tenant, role: 'owner', request_id: 'req_1', client: '192.0.2.1' } as const
  return noteOf(caller, action, { kind, id: target })
}

/** For verbs whose audit is not what the test is about. */
export const NOTE: AuditNote = newNote(newId('tenant'), 'skill.update')

export function newSkill(tenant: string, name: string): Skill {
  return {
    id: newId('skill'),
    tenant,
    name,
    description: 'Tells.',
    display_name: null,
    created_at: now(),
    updated_at: now(),
  }
}

export function newUpload(stage: Stage, change: Partial<Upload> = {}): Upload {
  return {
    id: newId('upload'),
    tenant: stage.tenant,
    skill: stage.skill,
    stage: stage.id,
    state: 'pending',
    size: 10,
    sha256: 'a'.repeat(64),
    step: null,
    findings: [],
    digest: null,
    created_by: 'key_1',
    created_at: now(),
    expires_at: '2999-01-01T00:00:00.000Z',
    finished_at: null,
    ...change,
  }
}

export function newPackage(digest: string): Package {
  return {
    digest,
    format: 'python',
    name: 'notes',
    description: 'Tells.',
    declared_version: null,
    input_schema: { type: 'object' },
    output_schema: null,
    handler: { kind: 'python', file: 'main.py', function: 'handler', takes_context: false },
    runtime: 'python3',
    defaults: {},
    files: [],
    skill_md: null,
    locks: {},
    archive_blob: 'a'.repeat(64),
    bundle_blob: 'b'.repeat(64),
    created_at: now(),
  }
}

export function newDeployment(stage: Stage, version: string, digest: string = `sha256:${version}`): Deployment {
  return {
    id: newId('deployment'),
    tenant: stage.tenant,
    skill: stage.skill,
    stage: stage.id,
    version,
    digest,
    input_schema: { type: 'object' },
    output_schema: null,
    handler: { kind: 'python', file: 'main.py', function: 'handler', takes_context: false },
    runtime: 'python3',
    bundle_blob: 'b'.repeat(64),
    config: { size: 'M', timeout_s: 300, isolation: 'session', env: { LANG: 'C' }, secret_refs: {}, network: [] },
    change_level: null,
    origin: 'deploy',
    promoted_from: null,
    created_by: 'key_1',
    created_at: now(),
  }
}

export function versionOf(deployment: Deployment): Omit<Version, 'sequence'> {
  const { tenant, skill, version, digest, created_by, created_at } = deployment
  return { id: newId('version'), tenant, skill, version, digest, created_by, created_at }
}

export function activate(
  engine: Engine,
  stage: Stage,
  deployment: Deployment,
  change: Partial<Parameters<Engine['skills']['activate']>[0]> = {},
): Promise<Stage> {
  const version = versionOf(deployment)
  return engine.skills.activate({
    stage,
    deployment,
    version,
    kind: 'deploy',
    by: 'key_1',
    at: now(),
    upload: null,
    note: newNote(stage.tenant, 'stage.deploy', stage.id),
    ...change,
  })
}

export function newRun({ tenant, skill, stage, deployment }: Place, change: Partial<Run> = {}): Run {
  return {
    id: newId('run'),
    tenant,
    skill: skill.id,
    stage: stage.id,
    deployment: deployment.id,
    version: deployment.version,
    status: 'queued',
    reason: null,
    error: null,
    input: { text: 'größer than ✓' },
    output: null,
    attempt: 0,
    cancel_requested: false,
    replay_of: null,
    scheduled_for: null,
    dead_letter: false,
    created_by: 'key_1',
    created_at: now(),
    started_at: null,
    finished_at: null,
    session: null,
    warm: null,
    queue_ms: null,
    start_ms: null,
    execution_ms: null,
    usage: null,
    billable_ms: null,
    throttle: null,
    ...change,
  }
}

/** @returns The run that was admitted, by its id. */
export async function admit(runs: RunStore, place: Place, change: Partial<Run> = {}): Promise<string> {
  const run = newRun(place, change)
  const { outcome } = await runs.admit(run, 'default', newNote(run.tenant, 'run.invoke', run.id))
  if (outcome !== 'admitted') throw new Error(`The run was not admitted: ${outcome}.`)
  return run.id
}

export const SUCCEEDED: Ending = {
  status: 'succeeded',
  reason: null,
  error: null,
  output: '{"answer":42}',
  session: 'session-1',
  warm: true,
  start_ms: 1.25,
  execution_ms: 7.5,
  usage: { wall_ms: 7.5, cpu_ms: 3, peak_memory_bytes: 1000, limits: 'hard' },
  billable_ms: 8,
  throttle: null,
  logs: [],
}

/** A lease that nobody takes over during a test, in milliseconds; and one that has run out when it begins. */
export const LONG = 3_600_000
export const OVER = 0

export function newSigningKey(tenant: string): SigningKey {
  return { id: 'ed25519-1', tenant, public_key: 'PEM', created_at: now(), retired_at: null }
}

/** What a list gives out whose last entry has that key. */
export const cursorOf = (key: string): string => Buffer.from(key).toString('base64url')
