import { z } from 'zod'
import { AnyRole, Grant } from '../../model/access.ts'
import { ERRORS } from '../../model/error-catalogue.ts'
import { SkilletError } from '../../model/errors.ts'
import { type Route, route } from '../route.ts'
import type { ReadinessCheck, Services } from '../services.ts'

const Check = z
  .object({ name: z.string(), ok: z.boolean(), message: z.string().nullable(), fix: z.string().nullable() })
  .meta({ id: 'Check' })
const Whoami = z
  .object({
    key: z.string().meta({ description: 'Id of the key, or `oidc:<issuer name>:<subject>`.' }),
    kind: z.enum(['key', 'token']),
    tenant: z.string(),
    role: AnyRole,
    grants: z.array(Grant).meta({ description: 'Those that are in force. Owners and viewers need none.' }),
  })
  .meta({ id: 'Whoami' })
const Readiness = z.object({ ready: z.boolean(), checks: z.array(Check) }).meta({ id: 'Readiness' })

export const serverRoutes = (services: Pick<Services, 'checks' | 'authorizer'>, stopping: AbortSignal): Route[] => [
  route({
    id: 'whoami',
    tag: 'server',
    method: 'GET',
    path: '/api/whoami',
    access: 'self.read',
    summary: 'Show whose key this is, and what it is granted',
    responses: { 200: { description: 'The key, or the subject of the token.', schema: Whoami } },
    errors: [],
    async handle({ caller }) {
      const { id: key, kind, tenant, role } = caller
      return { status: 200, body: { key, kind, tenant, role, grants: await services.authorizer.grantsOf(caller) } }
    },
  }),
  route({
    id: 'getHealth',
    tag: 'server',
    method: 'GET',
    path: '/healthz',
    access: 'public',
    summary: 'Whether the process answers',
    responses: { 200: { description: 'It does.', schema: z.object({ ok: z.literal(true) }) } },
    errors: [],
    handle: () => ({ status: 200, body: { ok: true } }),
  }),
  route({
    id: 'getReadiness',
    tag: 'server',
    method: 'GET',
    path: '/readyz',
    access: 'public',
    summary: 'Whether the server can do its work, and if not, what to do',
    responses: {
      200: { description: 'It can.', schema: Readiness },
      503: { description: 'It cannot.', schema: Readiness },
    },
    errors: [],
    async handle() {
      const checks = await Promise.all(services.checks().map(outcomeOf))
      if (stopping.aborted) checks.push({ name: 'server', ok: false, message: 'The server is stopping.', fix: null })
      const ready = checks.every(({ ok }) => ok)
      return { status: ready ? 200 : 503, body: { ready, checks } }
    },
  }),
]

async function outcomeOf({ name, check }: ReadinessCheck): Promise<z.infer<typeof Check>> {
  try {
    const found = await check()
    if (typeof found === 'object') return { name, ok: true, ...found }
    return { name, ok: true, message: found ?? null, fix: null }
  } catch (error) {
    const { message, fix } = error as { message?: unknown; fix?: unknown }
    const remedy = error instanceof SkilletError ? ERRORS[error.code].fix : fix
    return { name, ok: false, message: String(message), fix: typeof remedy === 'string' ? remedy : null }
  }
}
