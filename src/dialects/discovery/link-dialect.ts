import { isLinkToken } from '../../access/keys.ts'
import { problemReply } from '../../http/problem.ts'
import type { Dialect } from '../../http/route.ts'
import { SkilletError } from '../../model/errors.ts'

/** Where a link's paths begin. */
export const LINK_BASE = '/t/{token}'

/** Who has the URL is let in. An address that leads nowhere is not found: nobody is asked for a key there. */
export const LINK_DIALECT: Dialect = {
  credential: 'token',
  // A key has no place in a URL: it is none here, however good.
  authorization: (_header, token) => (token !== undefined && isLinkToken(token) ? `Bearer ${token}` : undefined),
  failure(error, { id }, { 'www-authenticate': _challenge, ...headers }) {
    const told = error.code === 'unauthenticated' ? new SkilletError('not_found', GONE) : error
    return problemReply(told, id, headers)
  },
}

const GONE = 'There is no such link, or it is not in force any more.'

/** For what is public: failures are told as ever. */
export const PUBLIC_DIALECT: Dialect = {
  authorization: () => undefined,
  failure: (error, { id }, headers) => problemReply(error, id, headers),
}
