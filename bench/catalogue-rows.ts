import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootstrap } from '../src/access/bootstrap.ts'
import { activate, newDeployment, newNote, newPackage, newSkill } from '../src/backends/contract/engine-fixtures.ts'
import { openSqliteEngine } from '../src/backends/sql/sql-engine.ts'
import { newId } from '../src/model/ids.ts'
import { now } from '../src/model/json.ts'
import type { Engine } from '../src/backends/ports.ts'
import { createClient } from './client.ts'
import type { Row } from './rows.ts'
import { startBenchServer } from './server.ts'
import { round, summarise } from './stats.ts'

const SKILLS = 10_000
const DESCRIPTION =
  'Extracts text and tables from documents, fills forms and merges files. Use when working with documents.'

/** A catalogue of 10,000 skills with SKILL.md: what its first reader waits for, and what memory it takes. */
export async function catalogueRows(samples: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'skillet-bench-'))
  await fill(folder)
  const server = await startBenchServer([], folder)
  const client = createClient(server.url, server.key, 1)
  try {
    const before = server.rssMb()
    const timed = async (path: string): Promise<number> => {
      const began = performance.now()
      const { status, body } = await client.send('GET', path)
      if (status !== 200 || !body.includes(DESCRIPTION)) throw new Error(`${path}: ${status} ${body.slice(0, 200)}`)
      return performance.now() - began
    }
    const first = await timed('/api/catalogue')
    const pages: number[] = []
    const whole: number[] = []
    for (let i = 0; i < samples; i++) pages.push(await timed('/api/catalogue?limit=200'))
    for (let i = 0; i < Math.max(2, samples / 5); i++) whole.push(await timed('/api/catalogue.xml'))
    return [
      { name: 'catalogue of 10,000 skills: first answer', unit: 'ms', figure: round(first), budget: { atMost: 50 } },
      { name: '... a page of 200', unit: 'ms', figure: summarise(pages), budget: {} },
      { name: '... all of it for a prompt', unit: 'ms', figure: summarise(whole), budget: {} },
      { name: '... memory more', unit: 'MB', figure: round(server.rssMb() - before), budget: { atMost: 100 } },
    ]
  } finally {
    client.close()
    await server.stop()
  }
}

/** As ten thousand uploads and deploys leave it, without the hours that those take. */
async function fill(folder: string): Promise<void> {
  const engine = await openSqliteEngine({ folder })
  try {
    const { tenant } = (await bootstrap({ engine, dataDir: folder }))!
    for (let i = 0; i < SKILLS; i += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, j) => serve(engine, tenant.id, `skill-${i + j}`)))
    }
  } finally {
    await engine.close()
  }
}

async function serve(engine: Engine, tenant: string, name: string): Promise<void> {
  const skill = newSkill(tenant, name)
  const digest = `sha256:${name}`
  const source = {
    ...newPackage(digest),
    name,
    description: DESCRIPTION,
    format: 'skill-md' as const,
    handler: { kind: 'skill-md' as const, scripts: [] },
    skill_md: { frontmatter: { name, description: DESCRIPTION }, body: 'Do this, then that.\n'.repeat(200) },
    files: Array.from({ length: 10 }, (_, i) => ({
      path: i === 0 ? 'SKILL.md' : `references/${i}.md`,
      size: 4000,
      sha256: 'a'.repeat(64),
      executable: false,
    })),
  }
  const note = newNote(tenant, 'version.publish')
  const version = {
    id: newId('version'),
    tenant,
    skill: skill.id,
    version: '1.0.0',
    digest,
    created_by: 'key_1',
    created_at: now(),
  }
  await engine.catalogue.publish({ skill, create: true, package: source, version, note })
  const stage = await engine.skills.putStage(tenant, skill.id, 'prod', null, undefined, note)
  await activate(engine, stage, newDeployment(stage, '1.0.0', digest))
}
