import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DiskBlobs, openDiskBlobs } from '../backends/disk/disk-blobs.ts'
import { NOTE, newApiKey, newTenant } from '../backends/contract/engine-fixtures.ts'
import type { Engine } from '../backends/ports.ts'
import { openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import type { Upload } from '../model/skills.ts'
import { createSchemaValidator } from '../schemas/json-schema-validator.ts'
import { createInspector } from './inspect/inspector.ts'
import { createPackageReader } from './package-reader.ts'
import { openTestSandbox, type TestSandbox } from './test-sandbox.ts'
import { createPackageValidator, type PackageValidator, type PackageValidatorParts } from './validate.ts'
import { hostileZip } from './zip/hostile-zip.ts'

// Everything is real but the build, which has tests of its own: here it only stores what it was given.
let sandbox: TestSandbox
let engine: Engine
let blobs: DiskBlobs
let parts: PackageValidatorParts
let built: string[]
const faults: unknown[] = []
const reader = createPackageReader()
const schemas = createSchemaValidator()
const tenant = newId('tenant')
const baseUrl = (): string => 'http://127.0.0.1:1'
const onFire = (): Promise<never> => Promise.reject(new Error('disk on fire'))

beforeAll(async () => {
  sandbox = await openTestSandbox()
  engine = await openSqliteEngine({ folder: join(sandbox.dir, 'data') })
  blobs = await openDiskBlobs({ folder: join(sandbox.dir, 'blobs'), secretFile: join(sandbox.dir, 'key'), baseUrl })
  const made = newTenant({ id: tenant })
  await engine.access.createTenant(made.tenant, newApiKey(tenant).key, made.hash, null)
  built = []
  parts = {
    engine,
    blobs,
    schemas,
    reader,
    stagingRoot: sandbox.places.staging,
    runtimes: sandbox.places.files.runtimes,
    inspect: createInspector({ tool: sandbox.driver.tool, files: sandbox.files }),
    async build(unpacked, _draft, inspection) {
      built.push(unpacked.digest)
      const { sha256 } = await blobs.put(Readable.from([Buffer.from(unpacked.digest)]), { maxBytes: 1000 })
      return { findings: [], handler: inspection.handler!, bundle_blob: sha256, locks: {} }
    },
    onError: (error) => void faults.push(error),
    retryMs: 10,
  }
})
afterAll(async () => {
  await Promise.all([engine.close(), blobs.close(), reader.close(), schemas.close()])
  await sandbox.close()
})

/** An upload that has just arrived, to a skill of its own. */
async function arrive(zip: Buffer, name = `skill-${newId('skill').slice(-8)}`): Promise<Upload> {
  const skill = {
    id: newId('skill'),
    tenant,
    name,
    description: '',
    display_name: null,
    created_at: now(),
    updated_at: now(),
  }
  await engine.skills.createSkill(skill, NOTE)
  const stage = await engine.skills.putStage(tenant, skill.id, 'dev', {}, undefined, NOTE)
  const sha256 = createHash('sha256').update(zip).digest('hex')
  const id = newId('upload')
  await blobs.put(Readable.from([zip]), { maxBytes: 2 ** 30 })
  await engine.skills.createUpload(
    {
      id,
      tenant,
      skill: skill.id,
      stage: stage.id,
      state: 'pending',
      size: zip.length,
      sha256,
      step: null,
      findings: [],
      digest: null,
      created_by: 'k',
      created_at: now(),
      expires_at: now(Date.now() + 60_000),
      finished_at: null,
    },
    NOTE,
  )
  return engine.skills.receiveUpload(id, now(), NOTE)
}

async function finished(upload: Upload): Promise<Upload> {
  const find = async (): Promise<Upload> => (await engine.skills.findUpload(tenant, upload.id))!
  await expect.poll(find, { interval: 20 }).toMatchObject({ finished_at: expect.any(String) })
  return find()
}

const withValidator = async <T>(
  change: Partial<PackageValidatorParts>,
  use: (validator: PackageValidator) => Promise<T>,
): Promise<T> => {
  const validator = createPackageValidator({ ...parts, ...change })
  try {
    return await use(validator)
  } finally {
    await validator.stop()
  }
}

const zipOf = (files: Record<string, string>): Buffer =>
  hostileZip(Object.entries(files).map(([name, data]) => ({ name, data })))
const MAIN = 'def handler(input: dict) -> dict:\n    """Counts words."""\n    return {}\n'
const rules = ({ findings }: Upload): string[] => findings.map(({ rule }) => rule)

describe('validating an upload', () => {
  test('an accepted package is kept with what manifest and code say, and the stage is ready', async () => {
    const upload = await arrive(
      zipOf({
        'main.py': MAIN,
        'skill.yaml': 'version: "1.0.0"\ninput_schema: {type: object, required: [text]}\n',
        'data/a.txt': 'x',
      }),
      'word-count',
    )
    const done = await withValidator({}, (validator) => validator.validate(upload))
    expect(done.findings).toEqual([])
    expect(done).toMatchObject({ state: 'accepted', step: null })
    expect(await engine.skills.findPackage(tenant, done.digest!)).toMatchObject({
      name: 'word-count',
      format: 'python',
      description: 'Counts words.',
      declared_version: '1.0.0',
      input_schema: { required: ['text'] },
      handler: { kind: 'python', file: 'main.py', function: 'handler' },
      files: [{ path: 'data/a.txt' }, { path: 'main.py' }, { path: 'skill.yaml' }],
      archive_blob: upload.sha256,
    })
    expect(await engine.skills.findStage(tenant, upload.skill, 'dev')).toMatchObject({ state: 'ready_to_deploy' })
  })

  test('the same files again need no new work, however they were zipped', async () => {
    const files = { 'main.py': MAIN, 'same.txt': 'same' }
    const first = await withValidator({}, async (validator) => validator.validate(await arrive(zipOf(files))))
    const before = built.length
    const entries = Object.entries(files)
      .toReversed()
      .map(([name, data]) => ({ name: `folder/${name}`, data, method: 0 }))
    const again = await withValidator({}, async (validator) => validator.validate(await arrive(hostileZip(entries))))
    expect(again).toMatchObject({ state: 'accepted', digest: first.digest })
    expect(built).toHaveLength(before)
  })

  test('a SKILL.md alone takes a script, its arguments and its input', async () => {
    const upload = await arrive(
      zipOf({ 'SKILL.md': '---\nname: guide\ndescription: Guides.\n---\nBody\n', 'scripts/a.py': 'print(1)' }),
    )
    const done = await withValidator({}, (validator) => validator.validate(upload))
    const found = (await engine.skills.findPackage(tenant, done.digest!))!
    expect(found).toMatchObject({
      format: 'skill-md',
      handler: { kind: 'skill-md', scripts: ['scripts/a.py'] },
      skill_md: { body: 'Body\n' },
    })
    expect(await schemas.validate(found.input_schema, { script: 'scripts/a.py', args: ['-v'] })).toEqual([])
    expect(await schemas.validate(found.input_schema, { args: ['-v'] })).not.toEqual([])
  })

  test('findings of manifest, schema and code come together, those that forbid first', async () => {
    const yaml = 'verzion: "1.0.0"\nname: Bad Name\ninput_schema:\n  type: objekt\n  $ref: "http://10.0.0.1/x"\n'
    const upload = await arrive(zipOf({ 'main.py': `${MAIN}\neval(input())\n`, 'skill.yaml': yaml }))
    const done = await withValidator({}, (validator) => validator.validate(upload))
    expect(done).toMatchObject({ state: 'rejected', digest: null })
    expect(done.findings).toContainEqual(
      expect.objectContaining({ rule: 'manifest.name', file: 'skill.yaml', line: 2 }),
    )
    expect(done.findings).toContainEqual(
      expect.objectContaining({
        rule: 'manifest.schema',
        file: 'skill.yaml',
        line: 3,
        message: expect.stringContaining('not local'),
      }),
    )
    expect(done.findings).toContainEqual(expect.objectContaining({ rule: 'python.eval', file: 'main.py', line: 5 }))
    const severities = done.findings.map(({ severity }) => severity)
    expect(severities).toEqual(severities.toSorted())
    expect(rules(done)).toContain('manifest.unknown_key')
    expect(await engine.skills.findStage(tenant, upload.skill, 'dev')).toMatchObject({ state: 'validation_failed' })
  })

  test('the version records which Python it was built for, declared or not', async () => {
    const { name } = parts.runtimes.find('python3')!
    for (const files of [{ 'main.py': `${MAIN}#r1` }, { 'main.py': `${MAIN}#r2`, 'skill.yaml': `runtime: ${name}` }]) {
      const done = await withValidator({}, async (validator) => validator.validate(await arrive(zipOf(files))))
      expect(await engine.skills.findPackage(tenant, done.digest!)).toMatchObject({ runtime: name })
    }
  })

  test('a runtime that this machine does not have is refused, naming what there is, with all else that was found', async () => {
    const files = { 'main.py': `${MAIN}\neval(input())\n`, 'skill.yaml': 'name: old\nruntime: python3.99' }
    const done = await withValidator({}, async (validator) => validator.validate(await arrive(zipOf(files))))
    expect(done.state).toBe('rejected')
    expect(rules(done)).toContain('python.eval')
    const { name } = parts.runtimes.find('python3')!
    expect(done.findings).toContainEqual(
      expect.objectContaining({
        rule: 'manifest.runtime_missing',
        message: expect.stringMatching(`runs on python3.99; this server has.* ${name}.*node24`),
        file: 'skill.yaml',
        line: 2,
      }),
    )
    const node = { 'spm.yaml': 'runtime: node18', 'index.ts': 'export const execute = () => 1\n' }
    const other = await withValidator({}, async (validator) => validator.validate(await arrive(zipOf(node))))
    expect(rules(other)).toContain('manifest.runtime_missing')
  })

  test('files that were accepted before are built anew when their runtime has gone', async () => {
    const files = { 'main.py': `${MAIN}#gone` }
    const { runtimes } = parts
    const old = { ...runtimes.find('python3')!, name: 'python3.9' }
    const before = { all: [old], find: (name: string) => (name.startsWith('python3') ? old : null) }
    const first = await withValidator({ runtimes: before }, async (validator) =>
      validator.validate(await arrive(zipOf(files))),
    )
    expect(await engine.skills.findPackage(tenant, first.digest!)).toMatchObject({ runtime: 'python3.9' })
    const count = built.length
    // As it is after the operating system went on to another Python.
    const after = { all: runtimes.all, find: (name: string) => (name === 'python3.9' ? null : runtimes.find(name)) }
    const again = await withValidator({ runtimes: after }, async (validator) =>
      validator.validate(await arrive(zipOf(files))),
    )
    expect(again).toMatchObject({ state: 'accepted', digest: first.digest })
    expect(built).toHaveLength(count + 1)
    expect(await engine.skills.findPackage(tenant, first.digest!)).toMatchObject({
      runtime: runtimes.find('python3')!.name,
    })
  })

  test('an archive that is refused goes no further', async () => {
    const upload = await arrive(hostileZip([{ name: '../main.py', data: MAIN }]))
    const done = await withValidator({ inspect: () => Promise.reject(new Error('must not run')) }, (validator) =>
      validator.validate(upload),
    )
    expect(rules(done)).toEqual(['zip.traversal'])
  })

  test('a build that fails is reported and nothing is kept', async () => {
    const finding = {
      rule: 'build.failed',
      severity: 'deny' as const,
      message: 'm',
      file: null,
      line: null,
      column: null,
      fix: 'f',
    }
    const build: PackageValidatorParts['build'] = (_, __, { handler }) =>
      Promise.resolve({ findings: [finding], handler: handler!, bundle_blob: null, locks: {} })
    const done = await withValidator({ build }, async (validator) =>
      validator.validate(await arrive(zipOf({ 'main.py': `${MAIN}#1` }))),
    )
    expect(done).toMatchObject({
      state: 'rejected',
      findings: [finding],
    })
  })
})

describe('faults of ours', () => {
  test('end the upload with a request to try again, and are told to the operator', async () => {
    faults.length = 0
    const done = await withValidator({ build: onFire }, async (validator) =>
      validator.validate(await arrive(zipOf({ 'main.py': `${MAIN}#2` }))),
    )
    expect(done).toMatchObject({
      state: 'rejected',
      findings: [{ rule: 'internal.validation', severity: 'deny', fix: expect.stringContaining('again') }],
    })
    expect(JSON.stringify(done)).not.toContain('fire')
    expect(faults).toMatchObject([{ message: 'disk on fire' }])
  })

  test('a result that could not be written is written later', async () => {
    let failures = 2
    const flaky: Engine['skills'] = {
      ...engine.skills,
      finishUpload: (...args) =>
        failures-- > 0 ? Promise.reject(new Error('busy')) : engine.skills.finishUpload(...args),
    }
    const upload = await arrive(zipOf({ 'main.py': `${MAIN}#3` }))
    await withValidator({ engine: { ...engine, skills: flaky } }, async (validator) => {
      validator.start(upload)
      expect(await finished(upload)).toMatchObject({ state: 'accepted' })
    })
  })

  test('no staging folder stays', async () => {
    expect(await readdir(sandbox.places.staging)).toEqual([])
  })
})

describe('in the background', () => {
  test('several uploads, each once, two at a time', async () => {
    const uploads = await Promise.all([4, 5, 6, 7].map((n) => arrive(zipOf({ 'main.py': `${MAIN}#${n}` }))))
    let busy = 0
    let most = 0
    const two = Promise.withResolvers<void>()
    const before = built.length
    const inspect: PackageValidatorParts['inspect'] = async (...args) => {
      most = Math.max(most, ++busy)
      // Nobody goes on before there are two: with one at a time this would wait for ever.
      if (busy === 2) two.resolve()
      await two.promise
      return parts.inspect(...args).finally(() => busy--)
    }
    await withValidator({ inspect }, async (validator) => {
      for (const upload of [...uploads, ...uploads]) validator.start(upload)
      await validator.resume()
      for (const upload of uploads) expect(await finished(upload)).toMatchObject({ state: 'accepted' })
    })
    expect(most).toBe(2)
    expect(built.slice(before).toSorted()).toEqual([...new Set(built.slice(before))].toSorted())
  })

  test('a stop leaves the upload to the next start', async () => {
    const upload = await arrive(zipOf({ 'main.py': `${MAIN}#8` }))
    const begun = Promise.withResolvers<void>()
    const inspect: PackageValidatorParts['inspect'] = (_, __, signal) => {
      begun.resolve()
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    }
    const validator = createPackageValidator({ ...parts, inspect })
    validator.start(upload)
    await begun.promise
    await validator.stop()
    await validator.stop()
    expect(await engine.skills.findUpload(tenant, upload.id)).toMatchObject({ state: 'validating', step: 'scanning' })
    expect(await readdir(sandbox.places.staging)).toEqual([])
    await withValidator({}, async (next) => {
      await next.resume()
      expect(await finished(upload)).toMatchObject({ state: 'accepted' })
    })
  })
})
