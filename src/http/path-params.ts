import type { Context } from 'hono'
import { describeKey, isKey, isLinkToken } from '../access/keys.ts'
import { notFound } from '../model/errors.ts'
import { type Dialect, PATH_PARAM, type Route } from './route.ts'

/** Who the request says is calling. */
export function authorizationOf(
  c: Context,
  dialect: Dialect | undefined,
  header: (name: string) => string | undefined,
): string | undefined {
  if (dialect === undefined) return header('authorization')
  return dialect.authorization(header, dialect.credential === undefined ? undefined : c.req.param(dialect.credential))
}

/** What the path names. @throws SkilletError not_found for what cannot be a name of anything */
export function paramsOf(c: Context, { path, dialect }: Route): Record<string, string> {
  const { [dialect?.credential ?? '']: _, ...params } = c.req.param() as Record<string, string>
  for (const [kind, value] of Object.entries(params)) {
    // Whoever puts a key where an id belongs does not find it in answers and in the audit log.
    if (isKey(value) || isLinkToken(value)) throw notFound(kind, `${describeKey(value).prefix}…`)
    // The rest of a path is whatever its handler makes of it.
    if (path.endsWith(`{${kind}+}`)) continue
    if (!PATH_PARAM.test(value)) throw notFound(kind, value.slice(0, 100))
  }
  return params
}
