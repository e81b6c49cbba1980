import { z } from 'zod'
import { notFound } from '../../model/errors.ts'
import { Instant } from '../../model/json.ts'
import { Upload } from '../../model/skills.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits')

const Ticket = z
  .object({
    upload_id: z.string(),
    method: z.literal('PUT'),
    url: z.string(),
    headers: z.record(z.string(), z.string()).meta({ description: 'To be sent with the PUT exactly as they are.' }),
    expires_at: Instant,
    size: z.number().int(),
    sha256: z.string(),
  })
  .meta({ id: 'UploadTicket' })

export const uploadRoutes = (services: Pick<Services, 'skills' | 'verifyUpload'>): Route[] => {
  const { uploads } = services.skills
  const { verifyUpload } = services
  return [
    route({
      id: 'createUpload',
      tag: 'uploads',
      method: 'POST',
      path: '/api/skills/{skill}/stages/{stage}/uploads',
      access: 'packages.upload',
      summary: 'Ask for a URL to upload a package to',
      description:
        'The URL is bound to the size and the checksum, is good for one PUT, and expires. Arrival starts validation.',
      body: z.strictObject({
        size: z.number().int().min(1).meta({ description: 'Length of the zip in bytes.' }),
        sha256: Sha256.meta({ description: 'Of the zip, in hex.' }),
      }),
      responses: { 201: { description: 'Where to PUT the zip.', schema: Ticket } },
      errors: ['upload_too_large'],
      async handle({ caller, params, body }) {
        const { upload, target } = await uploads.create(caller, params.skill, params.stage, body)
        const { id, expires_at, size, sha256 } = upload
        return { status: 201, body: { upload_id: id, ...target, expires_at, size, sha256 } }
      },
    }),
    route({
      id: 'getUpload',
      tag: 'uploads',
      method: 'GET',
      path: '/api/skills/{skill}/stages/{stage}/uploads/{upload}',
      access: 'skills.read',
      summary: 'Show how far an upload is, and what the validator found',
      responses: { 200: { description: 'The upload.', schema: Upload } },
      errors: [],
      handle: async ({ caller, params }) => ({
        status: 200,
        body: await uploads.find(caller.tenant, params.skill, params.stage, params.upload),
      }),
    }),
    ...(verifyUpload === null ? [] : [receiveRoute(uploads, verifyUpload)]),
  ]
}

function receiveRoute(
  uploads: Services['skills']['uploads'],
  verifyUpload: NonNullable<Services['verifyUpload']>,
): Route {
  return route({
    id: 'receiveUpload',
    tag: 'uploads',
    method: 'PUT',
    path: '/api/uploads/{upload}',
    access: 'public',
    summary: 'Upload a package to the URL that was handed out',
    description: 'The signature in the URL stands for the key. Content-Length is required.',
    query: z.strictObject({ expires: z.string(), size: z.string(), sha256: z.string(), signature: z.string() }),
    rawBody: 'application/zip',
    responses: {
      202: {
        description: 'Arrived; validation has begun.',
        schema: z.object({ upload_id: z.string(), state: z.string() }),
      },
    },
    errors: [
      'upload_tampered',
      'upload_expired',
      'upload_size_mismatch',
      'upload_too_large',
      'upload_checksum_mismatch',
      'upload_repeated',
      'unavailable',
    ],
    async handle(call) {
      const ticket = verifyUpload(call.url())
      if (ticket.id !== call.params.upload) throw notFound('upload', call.params.upload)
      const length = call.header('content-length')
      const body = { length: length === undefined ? null : Number(length), stream: call.stream() }
      const { id, state } = await uploads.receive(ticket, body, call.from, call.signal())
      return { status: 202, body: { upload_id: id, state } }
    },
  })
}
