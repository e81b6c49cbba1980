import type { webcrypto } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT, base64url, exportSPKI, generateKeyPair, importJWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newNote, newTenant } from '../backends/contract/engine-fixtures.ts'
import type { Engine } from '../backends/ports.ts'
import { openSqliteEngine } from '../backends/sql/sql-engine.ts'
import type { Tenant } from '../model/access.ts'
import { createAuthenticator } from './authenticate.ts'
import { CLIENT, type TestIssuer, startIssuer } from './fixtures/issuer.ts'
import type { IssuerConfig } from './oidc-config.ts'
import { createTokenVerifier } from './oidc.ts'

const JWKS = '/jwks'
const DISCOVERY = '/.well-known/openid-configuration'

let folder: string
let engine: Engine
let issuer: TestIssuer
let tenant: Tenant
let faults: string[]
/** What the clock of the server says is ahead of the issuer's by this many milliseconds. */
let ahead: number
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-oidc-'))
  engine = await openSqliteEngine({ folder })
  const made = newTenant({ name: 'acme' })
  tenant = made.tenant
  await engine.access.createTenant(tenant, made.key, made.hash, null)
})
beforeEach(async () => {
  issuer = await startIssuer()
  faults = []
  ahead = 0
  return () => issuer.close()
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const configOf = (change: Partial<IssuerConfig> = {}): IssuerConfig => ({
  name: 'corp',
  issuer: issuer.url,
  audience: issuer.audience,
  algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  clock_skew_s: 60,
  tenant: { claim: 'org' },
  role: { claim: 'roles', map: { admins: 'owner', makers: 'developer', watchers: 'viewer' } },
  ...change,
})

const verifier = (...configs: IssuerConfig[]) => patientVerifier(60_000, ...configs)

const patientVerifier = (timeoutMs: number, ...configs: IssuerConfig[]) =>
  createTokenVerifier(configs.length === 0 ? [configOf()] : configs, engine.access, {
    onError: (error) => void faults.push((error as Error).message),
    clock: () => Date.now() + ahead,
    timeoutMs,
  })

/** The principal, or why there is none. */
async function outcome(verify: ReturnType<typeof verifier>, token: string) {
  try {
    return (await verify(token)).value
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return `${code}: ${message}`
  }
}

/** That it says so to the caller, and why to the operator. */
const unavailable = async (why: string | RegExp, verify = verifier()) => {
  expect(await outcome(verify, await issuer.sign(CLAIMS))).toMatch(/^identity_unavailable: The issuer "corp"/)
  expect(faults).toHaveLength(1)
  expect(faults[0]).toMatch(why)
  return verify
}

const CLAIMS = { org: 'acme', roles: 'makers' }

describe('a token of a real provider', () => {
  test('is a principal of the tenant and the role that its claims say, by an Authorization header like any key', async () => {
    const auth = createAuthenticator(engine.access, { onError: () => {}, verifyToken: verifier() })
    expect(await auth.authenticate(`Bearer ${await issuer.issue(CLAIMS)}`)).toEqual({
      kind: 'token',
      id: `oidc:corp:${CLIENT}`,
      tenant: tenant.id,
      role: 'developer',
    })
    await auth.close()
    expect(faults).toEqual([])
  })

  test.each(['RS256', 'ES256', 'EdDSA'])('is good when it is signed with %s', async (alg) => {
    expect(await outcome(verifier(), await issuer.sign(CLAIMS, { alg }))).toMatchObject({ id: 'oidc:corp:someone' })
  })

  test('is good until its key is withdrawn; new keys are found when a token names one', async () => {
    const verify = verifier()
    const old = await issuer.sign(CLAIMS)
    expect(await outcome(verify, old)).toMatchObject({ role: 'developer' })
    await issuer.rotate()
    const fresh = await issuer.sign(CLAIMS)
    expect(await outcome(verify, fresh)).toContain('has no such key')
    ahead = 30_000
    expect(await outcome(verify, fresh)).toMatchObject({ role: 'developer' })
    expect(await outcome(verify, old)).toContain('has no such key')
    expect(issuer.asked.get(JWKS)).toBe(2)
    await issuer.rotate()
    ahead += 590_000
    expect(await outcome(verify, await issuer.sign({ ...CLAIMS, exp: 9e9 }))).toMatchObject({ role: 'developer' })
    expect(issuer.asked.get(JWKS)).toBe(3)
  })

  test('is judged by keys that are at most ten minutes old', async () => {
    const verify = verifier()
    const old = await issuer.sign({ ...CLAIMS, exp: 9e9 })
    await verify(old)
    await issuer.rotate()
    ahead = 590_000
    expect(await outcome(verify, old)).toMatchObject({ role: 'developer' })
    ahead = 600_000
    expect(await outcome(verify, old)).toContain('has no such key')
  })

  test('made-up key ids do not trouble the issuer', async () => {
    const verify = verifier()
    for (let i = 0; i < 20; i++) {
      expect(await outcome(verify, await issuer.sign(CLAIMS, { kid: `x${i}` }))).toContain('has no such key')
    }
    expect(issuer.asked.get(JWKS)).toBe(1)
  })

  test('many at once are one question to the issuer', async () => {
    const verify = verifier()
    const token = await issuer.sign(CLAIMS)
    await Promise.all(Array.from({ length: 20 }, () => verify(token)))
    expect([issuer.asked.get(DISCOVERY), issuer.asked.get(JWKS)]).toEqual([1, 1])
  })
})

describe('what is refused', () => {
  const now = Math.floor(Date.now() / 1000)
  test.each([
    ['another issuer', { iss: 'https://elsewhere.example' }, 'issuer (iss)'],
    ['no issuer', { iss: null }, 'issuer (iss)'],
    ['another audience', { aud: 'https://elsewhere.example' }, 'audience (aud)'],
    ['no audience', { aud: null }, 'audience (aud)'],
    ['no expiry', { exp: null }, 'exp'],
    ['an expiry that is no number', { exp: 'tomorrow' }, 'exp'],
    ['one that expired', { exp: now - 120 }, 'expired'],
    ['one that is not good yet', { nbf: now + 120 }, 'nbf'],
    ['no subject', { sub: null }, 'sub'],
    ['an empty subject', { sub: '' }, 'sub'],
    ['a subject that is too long', { sub: 'x'.repeat(256) }, 'sub'],
    ['a subject with control characters', { sub: 'a\nb' }, 'sub'],
    ['a subject that is no text', { sub: 7 }, 'sub'],
    ['no role', { roles: null }, 'names no role'],
    ['a role that is not mapped', { roles: ['guests', 'constructor', 'owner', 7] }, 'names no role'],
    ['no tenant', { org: null }, 'names no tenant'],
    ['two tenants', { org: ['acme', 'other'] }, 'names 2 tenants'],
    ['a tenant that is not there', { org: 'nobody' }, 'is not here'],
    ["the operator's tenant", { org: 'operator' }, 'is not here'],
  ])('%s', async (_what, change, why) => {
    const refusal = await outcome(verifier(), await issuer.sign({ ...CLAIMS, ...change }))
    expect(refusal).toMatch(/^unauthenticated: /)
    expect(refusal).toContain(why)
  })

  test('clocks may differ as much as is configured, and no more', async () => {
    // Of this moment: the file may have been at work for longer than the clocks may differ.
    const moment = Math.floor(Date.now() / 1000)
    const late = await issuer.sign({ ...CLAIMS, exp: moment - 20 })
    const early = await issuer.sign({ ...CLAIMS, nbf: moment + 40 })
    const strict = verifier(configOf({ clock_skew_s: 0 }))
    for (const token of [late, early]) {
      expect(await outcome(verifier(), token)).toMatchObject({ role: 'developer' })
      expect(await outcome(strict, token)).toContain('unauthenticated')
    }
  })

  test('tokens without a signature, with a changed one, and signed with the public key as if it were a secret', async () => {
    const verify = verifier()
    const good = await issuer.sign(CLAIMS)
    const [header, payload, signature] = good.split('.') as [string, string, string]
    const unsigned = base64url.encode(JSON.stringify({ alg: 'none' }))
    const changed = base64url.encode(JSON.stringify({ ...(JSON.parse(atob(payload)) as object), roles: 'admins' }))
    const { d: _d, ...publicKey } = issuer.key('ES256')
    const spki = await exportSPKI((await importJWK(publicKey, 'ES256', { extractable: true })) as webcrypto.CryptoKey)
    const confused = async (secret: string) =>
      new SignJWT(JSON.parse(atob(payload)) as Record<string, unknown>)
        .setProtectedHeader({ alg: 'HS256', kid: publicKey.kid! })
        .sign(new TextEncoder().encode(secret))
    const stranger = await generateKeyPair('ES256')
    const forged = await new SignJWT(JSON.parse(atob(payload)) as Record<string, unknown>)
      .setProtectedHeader({ alg: 'ES256', kid: publicKey.kid!, jwk: publicKey })
      .sign(stranger.privateKey)
    for (const token of [
      `${unsigned}.${payload}.`,
      `${unsigned}.${payload}.${signature}`,
      `${header}.${changed}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      await confused(spki),
      await confused(JSON.stringify(publicKey)),
      forged,
      `${header}.bm8gSlNPTg.${signature}`,
    ]) {
      expect(await outcome(verify, token)).toContain('unauthenticated')
    }
    expect(await outcome(verify, good)).toMatchObject({ role: 'developer' })
  })

  test('an algorithm that is good but not configured', async () => {
    const verify = verifier(configOf({ algorithms: ['RS256'] }))
    expect(await outcome(verify, await issuer.sign(CLAIMS))).toContain('not signed with RS256')
    expect(await outcome(verify, await issuer.sign(CLAIMS, { alg: 'RS256' }))).toMatchObject({ role: 'developer' })
  })

  test('a tenant that is suspended, with its own code', async () => {
    const made = newTenant({ name: 'asleep', suspended: true })
    await engine.access.createTenant(made.tenant, made.key, made.hash, null)
    expect(await outcome(verifier(), await issuer.sign({ ...CLAIMS, org: 'asleep' }))).toMatch(/^tenant_suspended/)
  })
})

describe('claims', () => {
  test('may be texts or lists, may nest, and the highest role wins', async () => {
    const nested = configOf({
      tenant: { claim: ['https://x.example/org', 'names'], map: { 'ACME Inc.': 'acme', other: 'other' } },
      role: { claim: ['realm', 'roles'], map: { a: 'agent', v: 'viewer', d: 'developer' }, default: 'agent' },
    })
    const role = async (roles: unknown, names: unknown = ['ACME Inc.', 'unmapped']) => {
      const found = await outcome(
        verifier(nested),
        await issuer.sign({ 'https://x.example/org': { names }, realm: { roles } }),
      )
      return typeof found === 'string' ? found : [found.tenant, found.role]
    }
    expect(await role(['v', 'd', 'a'])).toEqual([tenant.id, 'developer'])
    expect(await role('v', 'ACME Inc.')).toEqual([tenant.id, 'viewer'])
    expect(await role({ d: true })).toEqual([tenant.id, 'agent'])
    expect(await role('d', ['ACME Inc.', 'other'])).toContain('names 2 tenants')
    expect(await role('d', 'unmapped')).toContain('names no tenant')
  })

  test('may leave the tenant to the configuration, which knows it by id or name', async () => {
    const token = await issuer.sign({ roles: ['admins'] })
    for (const value of ['acme', tenant.id]) {
      expect(await outcome(verifier(configOf({ tenant: { value } })), token)).toMatchObject({
        tenant: tenant.id,
        role: 'owner',
      })
    }
  })

  test('one issuer may be configured for several audiences', async () => {
    const verify = verifier(configOf(), configOf({ name: 'second', audience: 'second' }))
    expect(await outcome(verify, await issuer.sign({ ...CLAIMS, aud: ['x', 'second'] }))).toMatchObject({
      id: 'oidc:second:someone',
    })
    expect(await outcome(verify, await issuer.sign(CLAIMS))).toMatchObject({ id: 'oidc:corp:someone' })
  })
})

describe('an issuer that cannot be asked vouches for nobody', () => {
  test('it hangs up; when it is back, tokens are accepted again', async () => {
    const token = await issuer.sign(CLAIMS)
    issuer.instead.set(DISCOVERY, (request) => request.socket.destroy())
    const verify = verifier()
    expect(await outcome(verify, token)).toMatch(/^identity_unavailable/)
    issuer.instead.clear()
    // For a moment it is not asked again.
    expect(await outcome(verify, token)).toMatch(/^identity_unavailable/)
    expect(issuer.asked.get(DISCOVERY)).toBe(1)
    ahead = 2000
    expect(await outcome(verify, token)).toMatchObject({ role: 'developer' })
  })

  test('it says that it is another', async () => {
    issuer.instead.set(DISCOVERY, (_request, response) => {
      response.end(JSON.stringify({ issuer: `${issuer.url}/`, jwks_uri: `${issuer.url}${JWKS}` }))
    })
    await unavailable('says that it is the issuer')
  })

  test('its keys lie where they could be changed on the way', async () => {
    issuer.instead.set(DISCOVERY, (_request, response) => {
      response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: 'http://keys.example/jwks' }))
    })
    await unavailable('not https')
  })

  test('it leads elsewhere', async () => {
    issuer.instead.set(JWKS, (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end())
    issuer.instead.set('/elsewhere', (_request, response) => response.end('{"keys":[]}'))
    await unavailable('status 302')
    expect(issuer.asked.get('/elsewhere')).toBeUndefined()
  })

  test('it answers without end', async () => {
    issuer.instead.set(JWKS, (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    })
    await unavailable('larger than 262144 bytes')
  })

  test('it answers too slowly', async () => {
    issuer.instead.set(JWKS, (_request, response) => void response.write('{"keys":'))
    await unavailable('no answer in 300 ms', patientVerifier(300))
  })

  test.each([
    ['an error', 500, 'oops', 'status 500'],
    ['no JSON', 200, '<html>', 'no JSON'],
    ['no key set', 200, '{"keys":7}', 'malformed'],
  ])('it answers with %s', async (_what, status, text, why) => {
    issuer.instead.set(JWKS, (_request, response) => response.writeHead(status).end(text))
    await unavailable(why)
  })

  test('its key is not one that can be used', async () => {
    const { kid } = issuer.key('ES256')
    issuer.instead.set(JWKS, (_request, response) => {
      response.end(JSON.stringify({ keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid, alg: 'ES256' }] }))
    })
    expect(await outcome(verifier(), await issuer.sign(CLAIMS))).toMatch(/^identity_unavailable/)
  })

  test('a token of theirs that was accepted before is not accepted longer because of it', async () => {
    const verify = verifier()
    const token = await issuer.sign({ ...CLAIMS, exp: 9e9 })
    await verify(token)
    issuer.instead.set(JWKS, (_request, response) => response.writeHead(503).end())
    ahead = 600_000
    expect(await outcome(verify, token)).toMatch(/^identity_unavailable/)
  })
})

test('suspending the tenant is felt by tokens at once, as by keys', async () => {
  const made = newTenant({ name: 'soon' })
  await engine.access.createTenant(made.tenant, made.key, made.hash, null)
  const auth = createAuthenticator(engine.access, { onError: () => {}, verifyToken: verifier() })
  const header = `Bearer ${await issuer.sign({ ...CLAIMS, org: 'soon' })}`
  await auth.authenticate(header)
  await engine.access.updateTenant(made.tenant.id, { suspended: true }, newNote(made.tenant.id, 'tenant.update'))
  auth.forgetTenant(made.tenant.id)
  await expect(auth.authenticate(header)).rejects.toMatchObject({ code: 'tenant_suspended' })
  await auth.close()
})
