import { type KeyObject, createPrivateKey, generateKeyPair, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { Vault } from '../backends/access-ports.ts'
import { createKeyedLock } from '../backends/keyed-lock.ts'
import type { SigningStore } from '../backends/signing-ports.ts'
import type { Caller } from '../model/access.ts'
import { type AuditNote, noteOf, systemNoteOf } from '../model/audit.ts'
import { SkilletError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import {
  PAYLOAD_TYPE,
  type SignatureEnvelope,
  type SigningKey,
  type VersionStatement,
  keyIdOf,
  preAuthEncoding,
} from '../model/signatures.ts'

/** What is signed of a version: whose it is, what it is called, and the digest over all its files. */
export interface Signed {
  /** Whose key signs, too. */
  readonly tenant: string
  /** The skill's name. */
  readonly name: string
  readonly version: string
  /** `sha256:…` */
  readonly digest: string
}

export interface Signing {
  /** The same every time as long as the tenant's key is the same; the first one makes the key. @throws SkilletError vault_unavailable */
  sign(version: Signed): Promise<SignatureEnvelope>
  /** All keys the tenant ever signed with, newest first. Makes the first. */
  keys(tenant: string): Promise<SigningKey[]>
  /** A new key; what the old one signed goes on holding. @throws SkilletError vault_unavailable */
  rotate(caller: Caller): Promise<SigningKey>
}

/** Keys that are kept in memory. */
const KEPT = 1000

/** @param parts.environment As for secrets: names this installation in the vault. */
export function createSigning(parts: {
  readonly store: SigningStore
  readonly vault: Pick<Vault, 'put' | 'get'>
  readonly environment: string
}): Signing {
  const { store, vault, environment } = parts
  const lock = createKeyedLock()
  /** Private keys by their id. */
  const opened = new Map<string, KeyObject>()

  async function make(
    tenant: string,
    replaces: string | null,
    note: (id: string) => AuditNote,
  ): Promise<SigningKey | null> {
    const { publicKey, privateKey } = await promisify(generateKeyPair)('ed25519', {})
    const public_key = publicKey.export({ type: 'spki', format: 'pem' }) as string
    const key: SigningKey = { id: keyIdOf(public_key), tenant, public_key, created_at: now(), retired_at: null }
    const path = `agent-runner/${environment}/tenant/${tenant}/signing/${newId('secret')}`
    await vault.put(path, 1, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    return (await store.addSigningKey(key, path, replaces, note(key.id))) ? key : null
  }

  async function active(tenant: string): Promise<{ key: SigningKey; path: string }> {
    return lock(tenant, async () => {
      for (;;) {
        const found = await store.activeKey(tenant)
        if (found !== null) return found
        // Another server may be first; then that one's is found.
        await make(tenant, null, (id) => systemNoteOf(tenant, 'signing_key.create', { kind: 'signing_key', id }))
      }
    })
  }

  async function openKey({ key, path }: { key: SigningKey; path: string }): Promise<KeyObject> {
    const known = opened.get(key.id)
    if (known !== undefined) return known
    const made = createPrivateKey(await vault.get(path, 1))
    if (opened.size >= KEPT) opened.clear()
    opened.set(key.id, made)
    return made
  }

  return {
    async sign(version) {
      const found = await active(version.tenant)
      const payload = Buffer.from(JSON.stringify(statementOf(version)))
      const sig = sign(null, preAuthEncoding(payload), await openKey(found)).toString('base64')
      return {
        payloadType: PAYLOAD_TYPE,
        payload: payload.toString('base64'),
        signatures: [{ keyid: found.key.id, sig }],
      }
    },

    async keys(tenant) {
      await active(tenant)
      return store.signingKeys(tenant)
    },

    async rotate(caller) {
      const { key } = await active(caller.tenant)
      const note = (id: string): AuditNote =>
        noteOf(caller, 'signing_key.create', { kind: 'signing_key', id }, { replaces: key.id })
      const made = await make(caller.tenant, key.id, note)
      if (made === null) throw new SkilletError('key_changed', `Key ${key.id} is not the active one any more.`)
      return made
    },
  }
}

/** Members in a fixed order: the same version gives the same bytes. */
function statementOf({ tenant, name, version, digest }: Signed): VersionStatement {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: `${name}@${version}`, digest: { sha256: digest.slice('sha256:'.length) } }],
    predicateType: 'urn:skillet:version:v1',
    predicate: { tenant, skill: name, version },
  }
}
