import type { Blobs, Engine } from '../backends/ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import { LIMITS } from '../model/sizes.ts'
import type { Upload } from '../model/skills.ts'
import type { Lookup } from './lookup.ts'

/** What the signature of an upload URL vouches for. */
export type UploadTicket = Pick<Upload, 'id' | 'size' | 'sha256'>

/** Where the client sends the package. */
type UploadTarget = ReturnType<Blobs['uploadUrl']>

/** Told when a package has arrived. Starts validation; must not throw. */
export interface ArrivalListener {
  start(upload: Pick<Upload, 'id' | 'tenant'>): void
}

export interface Uploads {
  /** @throws SkilletError upload_too_large */
  create(
    caller: Caller,
    skill: string,
    stage: string,
    file: { size: number; sha256: string },
  ): Promise<{ upload: Upload; target: UploadTarget }>
  find(tenant: string, skill: string, stage: string, id: string): Promise<Upload>
  /**
   * Takes the body of a PUT whose URL was verified, and starts validation.
   * @throws SkilletError upload_size_mismatch, upload_too_large, upload_checksum_mismatch, upload_repeated, upload_expired, not_found
   */
  receive(
    ticket: UploadTicket,
    body: { readonly length: number | null; readonly stream: AsyncIterable<Uint8Array> },
    from: Pick<Caller, 'request_id' | 'client'>,
    signal?: AbortSignal,
  ): Promise<Upload>
}

/** @param parts.maxBytes Largest package; default LIMITS.uploadBytes. */
export function createUploads(parts: {
  engine: Engine
  blobs: Pick<Blobs, 'put' | 'uploadUrl'>
  validator: ArrivalListener
  lookup: Lookup
  /** @throws SkilletError isolation_unavailable on a machine where nothing can be validated. */
  requireIsolation: () => void
  maxBytes?: number | undefined
}): Uploads {
  const { engine, blobs, validator, lookup, requireIsolation, maxBytes = LIMITS.uploadBytes } = parts
  return {
    async create(caller, skillName, stageName, { size, sha256 }) {
      requireIsolation()
      if (size > maxBytes) {
        throw new SkilletError('upload_too_large', `${size} bytes were announced; at most ${maxBytes} are taken.`, {
          data: { max_bytes: maxBytes },
        })
      }
      const { skill, stage } = await lookup.stage(caller.tenant, skillName, stageName)
      const at = Date.now()
      const upload: Upload = {
        id: newId('upload', at),
        tenant: caller.tenant,
        skill: skill.id,
        stage: stage.id,
        state: 'pending',
        size,
        sha256,
        step: null,
        findings: [],
        digest: null,
        created_by: caller.id,
        created_at: now(at),
        expires_at: now(at + LIMITS.uploadSeconds * 1000),
        finished_at: null,
      }
      await engine.skills.createUpload(
        upload,
        noteOf(caller, 'upload.create', { kind: 'upload', id: upload.id }, { size, sha256 }),
      )
      return { upload, target: blobs.uploadUrl(upload) }
    },

    async find(tenant, skillName, stageName, id) {
      const { stage } = await lookup.stage(tenant, skillName, stageName)
      const upload = await engine.skills.findUpload(tenant, id)
      if (upload === null || upload.stage !== stage.id) throw notFound('upload', id)
      return asOf(upload, now())
    },

    async receive(ticket, body, from, signal) {
      if (body.length !== ticket.size) {
        const sent = body.length === null ? 'without a Content-Length' : `with ${body.length} bytes`
        throw new SkilletError('upload_size_mismatch', `The body comes ${sent}; ${ticket.size} bytes were announced.`)
      }
      const before = await engine.skills.findUploadById(ticket.id)
      if (before === null) throw notFound('upload', ticket.id)
      // A first look before the body is read; what decides is receiveUpload below.
      if (before.state !== 'pending')
        throw new SkilletError('upload_repeated', `Upload ${ticket.id} is ${before.state}.`)
      await blobs.put(body.stream, {
        maxBytes: Math.min(maxBytes, ticket.size),
        size: ticket.size,
        sha256: ticket.sha256,
        ...(signal && { signal }),
      })
      // The URL is the authority here: whoever asked for it answers for it.
      const asked = { kind: 'key', id: before.created_by, tenant: before.tenant, role: 'owner', ...from } as const
      const note = noteOf(asked, 'upload.receive', { kind: 'upload', id: ticket.id })
      const upload = await engine.skills.receiveUpload(ticket.id, now(), note)
      validator.start(upload)
      return upload
    },
  }
}

/** Nobody marks uploads that were never sent: time does. */
function asOf(upload: Upload, at: string): Upload {
  return upload.state === 'pending' && upload.expires_at <= at ? { ...upload, state: 'expired' } : upload
}
