import { z } from 'zod'
import { SIGNATURE_HEADER, SignatureEnvelope, SigningKey } from '../../model/signatures.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'
import { signatureHeaders } from '../signature-headers.ts'

/** Signatures over versions, and what they sign as an archive. */
export const signatureRoutes = (services: Pick<Services, 'skills' | 'files' | 'signing'>): Route[] => {
  const { skills, files, signing } = services

  /** By whatever name. */
  async function signed(tenant: string, skillName: string, versionName: string) {
    const skill = await skills.catalogue.find(tenant, skillName)
    const version = await skills.versions.find(tenant, skill.id, versionName)
    return { tenant, name: skill.name, version: version.version, digest: version.digest }
  }

  return [
    route({
      id: 'getVersionSignature',
      tag: 'versions',
      method: 'GET',
      path: '/api/skills/{skill}/versions/{version}/signature',
      access: 'versions.read',
      summary: 'The signature over a version, as a DSSE envelope',
      description:
        'Ed25519, under the key of the tenant, over an in-toto statement whose subject is the digest of the package.',
      responses: { 200: { description: 'The envelope.', schema: SignatureEnvelope } },
      errors: ['vault_unavailable'],
      handle: async ({ caller, params }) => ({
        status: 200,
        body: await signing.sign(await signed(caller.tenant, params.skill, params.version)),
      }),
    }),
    route({
      id: 'downloadVersion',
      tag: 'versions',
      method: 'GET',
      path: '/api/skills/{skill}/versions/{version}/archive',
      access: 'versions.read',
      summary: 'Download the files of a version as a zip',
      description: 'The same version gives the same bytes.',
      query: z.strictObject({
        layout: z
          .enum(['folder', 'root'])
          .default('folder')
          .meta({ description: 'Below one folder with the name that the package gives itself, or at the root.' }),
      }),
      responses: {
        200: {
          description: 'The zip.',
          also: { 'application/zip': z.string() },
          headers: { [SIGNATURE_HEADER]: 'The signature over the version: the DSSE envelope as JSON, in base64url.' },
        },
      },
      errors: ['vault_unavailable'],
      async handle({ caller, params, query: { layout } }) {
        const version = await signed(caller.tenant, params.skill, params.version)
        const source = await skills.agents.package(version)
        const archive = await files.archive(caller.tenant, source, layout)
        const headers = {
          ...(await signatureHeaders(signing, version)),
          'content-length': String(archive.size),
          'content-disposition': `attachment; filename="${version.name}-${version.version}.zip"`,
          etag: `"${archive.sha256}"`,
        }
        return { status: 200, stream: await files.open(archive), type: 'application/zip', headers }
      },
    }),
    route({
      id: 'listSigningKeys',
      tag: 'versions',
      method: 'GET',
      path: '/api/signing-keys',
      access: 'catalogue.read',
      summary: 'List the keys under which versions are signed',
      description:
        "The tenant's, newest first, then those of whoever provides what comes with the server. Retired ones are there for what they signed.",
      responses: { 200: { description: 'All of them.', schema: z.object({ items: z.array(SigningKey) }) } },
      errors: ['vault_unavailable'],
      async handle({ caller: { tenant } }) {
        const tenants = [tenant, ...(await skills.agents.providers(tenant))]
        return { status: 200, body: { items: (await Promise.all(tenants.map(signing.keys))).flat() } }
      },
    }),
    route({
      id: 'rotateSigningKey',
      tag: 'versions',
      method: 'POST',
      path: '/api/signing-keys/rotate',
      access: 'signing.rotate',
      summary: 'Sign with a new key from now on',
      responses: { 200: { description: 'The new key.', schema: SigningKey } },
      errors: ['key_changed', 'vault_unavailable'],
      handle: async ({ caller }) => ({ status: 200, body: await signing.rotate(caller) }),
    }),
  ]
}
