import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import { SkilletError } from '../model/errors.ts'

/** Cursors of what happens, as callers get them. */
export interface CursorSeal {
  seal(tenant: string, cursor: string): string
  /** @throws SkilletError bad_request for what was not sealed here, for this tenant */
  open(tenant: string, sealed: string): string
}

/**
 * The cursors of the state count through all tenants: the difference of two would tell each tenant how busy the others were meanwhile.
 * Sealed, they are told apart and nothing else.
 * @param secret Of this installation. Cursors of another one are refused.
 */
export function createCursorSeal(secret: Uint8Array): CursorSeal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'skillet cursors', BLOCK))
  // One block by itself, so that the same cursor is always the same text.
  const algorithm = 'aes-128-ecb'
  return {
    seal(tenant, cursor) {
      if (cursor === NOTHING) return cursor
      const block = Buffer.concat([Buffer.alloc(BLOCK / 2), markOf(tenant)])
      block.writeBigUInt64BE(BigInt(Number.parseInt(cursor, 36)))
      return createCipheriv(algorithm, key, null).setAutoPadding(false).update(block).toString('base64url')
    },

    open(tenant, sealed) {
      if (sealed === NOTHING) return sealed
      if (/^[\w-]{22}$/.test(sealed)) {
        const block = createDecipheriv(algorithm, key, null)
          .setAutoPadding(false)
          .update(Buffer.from(sealed, 'base64url'))
        if (block.length === BLOCK && block.subarray(BLOCK / 2).equals(markOf(tenant)))
          return block.readBigUInt64BE().toString(36).padStart(NOTHING.length, '0')
      }
      throw new SkilletError(
        'bad_request',
        `"${sealed.slice(0, 100)}" is not the id of an event that this server gave out.`,
      )
    },
  }
}

/** In bytes. */
const BLOCK = 16

/** Before all that happened, in every tenant. */
const NOTHING = '0000000000'

const markOf = (tenant: string): Buffer =>
  createHash('sha256')
    .update(tenant)
    .digest()
    .subarray(0, BLOCK / 2)
