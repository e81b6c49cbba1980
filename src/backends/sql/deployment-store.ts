import { SkilletError, notFound } from '../../model/errors.ts'
import { isId } from '../../model/ids.ts'
import type { Activation, Deployment, Stage, Version } from '../../model/skills.ts'
import type { SkillStore } from '../ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Transaction } from './database.ts'
import { afterKey, afterNumber, rowsFor, toPage } from './page.ts'
import { type StageRow, toStage } from './rows.ts'
import { requireSecrets } from './secret-use.ts'
import { VERSION, keepVersion } from './version-keeping.ts'

type DeploymentStore = Pick<
  SkillStore,
  'activate' | 'findDeployment' | 'listActivations' | 'findVersion' | 'findVersionOfDigest' | 'listVersions'
>
type Change = Parameters<SkillStore['activate']>[0]

export function createDeploymentStore(db: Database): DeploymentStore {
  async function version(column: 'id' | 'version' | 'digest', value: string, tenant: string, skill: string) {
    const [row] = await db.query<Version>(
      `SELECT ${VERSION} FROM versions WHERE ${column} = ? AND skill = ? AND tenant = ?`,
      value,
      skill,
      tenant,
    )
    return row === undefined ? null : { ...row }
  }

  return {
    activate(change) {
      return db.tx(async (t) => {
        const { before, stage } = await point(t, change)
        await requireSecrets(t, stage.tenant, change.deployment.config)
        await keepVersion(t, change.version)
        await keepDeployment(t, change.deployment)
        await t.query(
          'INSERT INTO activations (stage, revision, tenant, deployment, version, kind, actor, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
          stage.id,
          stage.revision,
          stage.tenant,
          change.deployment.id,
          change.deployment.version,
          change.kind,
          change.by,
          change.at,
        )
        await writeAudit(t, change.note, { before, after: stage })
        return stage
      })
    },

    async findDeployment(tenant, id) {
      const [row] = await db.query<{ body: string }>(
        'SELECT body FROM deployments WHERE id = ? AND tenant = ?',
        id,
        tenant,
      )
      return row === undefined ? null : (JSON.parse(row.body) as Deployment)
    },

    async listActivations(tenant, stage, page) {
      const after = afterNumber(page)
      const rows = await db.query<Activation & { revision: number }>(
        `SELECT revision, deployment, version, kind, actor AS by, at FROM activations
         WHERE stage = ? AND tenant = ? ${after === null ? '' : 'AND revision < ?'} ORDER BY revision DESC LIMIT ${rowsFor(page)}`,
        stage,
        tenant,
        ...(after === null ? [] : [after]),
      )
      return toPage(
        rows,
        page,
        ({ revision }) => String(revision),
        ({ revision: _revision, ...activation }) => activation,
      )
    },

    findVersion: (tenant, skill, versionOrId) =>
      version(isId('version', versionOrId) ? 'id' : 'version', versionOrId, tenant, skill),

    findVersionOfDigest: (tenant, skill, digest) => version('digest', digest, tenant, skill),

    async listVersions(tenant, skill, page) {
      const after = afterKey(page)
      const rows = await db.query<Version & { rank: string }>(
        `SELECT ${VERSION}, rank FROM versions WHERE skill = ? AND tenant = ? ${after === null ? '' : 'AND rank < ?'}
         ORDER BY rank DESC LIMIT ${rowsFor(page)}`,
        skill,
        tenant,
        ...(after === null ? [] : [after]),
      )
      return toPage(
        rows,
        page,
        ({ rank }) => rank,
        ({ rank: _rank, ...found }) => found,
      )
    },
  }
}

/** Moves the stage's pointer, if the stage is still at the revision that the change was made for. */
async function point(
  t: Transaction,
  { stage: { id, tenant, revision }, deployment, upload, at }: Change,
): Promise<{ before: Stage; stage: Stage }> {
  // Nobody else may change it in between.
  const [present] = await t.query<StageRow>(
    'UPDATE stages SET revision = revision WHERE id = ? AND tenant = ? RETURNING *',
    id,
    tenant,
  )
  if (present === undefined) throw notFound('stage', id)
  if (present.revision !== revision) {
    throw new SkilletError(
      'stage_changed',
      `Stage "${present.name}" was expected at revision ${revision}; it is at revision ${present.revision}.`,
      { data: { revision: present.revision } },
    )
  }
  // A newer upload that is on its way keeps its say in the stage's state.
  const [row] = await t.query<StageRow>(
    `UPDATE stages SET deployment = ?, revision = revision + 1, updated_at = ?,
     state = CASE WHEN upload IS NULL OR upload = ? OR state = 'empty' THEN 'active' ELSE state END,
     upload = CASE WHEN upload = ? THEN NULL ELSE upload END
     WHERE id = ? RETURNING *`,
    deployment.id,
    at,
    upload,
    upload,
    id,
  )
  return { before: toStage(present), stage: toStage(row!) }
}

async function keepDeployment(t: Transaction, deployment: Deployment): Promise<void> {
  await t.query(
    `INSERT INTO deployments (id, tenant, skill, stage, version, digest, bundle_blob, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO NOTHING`,
    deployment.id,
    deployment.tenant,
    deployment.skill,
    deployment.stage,
    deployment.version,
    deployment.digest,
    deployment.bundle_blob,
    JSON.stringify(deployment),
  )
}
