import type { Context } from 'hono'
import { describeKey, isKey, isLinkToken } from '../access/keys.ts'
import { notFound } from '../model/errors.ts'
import { PATH_PARAM, type Route } from './route.ts'

/**
 * The path as Hono has it. Parameters are named by their place: where routes name the same place differently, Hono takes a router that is
 * several times slower for all of them.
 */
export const routerPath = (path: string): string =>
  path
    .split('/')
    .map((segment, at) => {
      const { name, rest } = parameterIn(segment)
      return name === null ? segment : `:p${at}${rest ? '{.+}' : ''}`
    })
    .join('/')

/** Who the request says is calling. */
export function authorizationOf(
  c: Context,
  { path, dialect }: Pick<Route, 'path' | 'dialect'>,
  header: (name: string) => string | undefined,
): string | undefined {
  if (dialect === undefined) return header('authorization')
  const credential = dialect.credential === undefined ? undefined : named(c, path)[dialect.credential]
  return dialect.authorization(header, credential)
}

/** What the path names. @throws SkilletError not_found for what cannot be a name of anything */
export function paramsOf(c: Context, { path, dialect }: Pick<Route, 'path' | 'dialect'>): Record<string, string> {
  const { [dialect?.credential ?? '']: _, ...params } = named(c, path)
  for (const [kind, value] of Object.entries(params)) {
    // Whoever puts a key where an id belongs does not find it in answers and in the audit log.
    if (isKey(value) || isLinkToken(value)) throw notFound(kind, `${describeKey(value).prefix}…`)
    // The rest of a path is whatever its handler makes of it.
    if (path.endsWith(`{${kind}+}`)) continue
    if (!PATH_PARAM.test(value)) throw notFound(kind, value.slice(0, 100))
  }
  return params
}

/** Parameters by the names that the route has for them. */
function named(c: Context, path: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [at, segment] of path.split('/').entries()) {
    const { name } = parameterIn(segment)
    if (name !== null) found[name] = c.req.param(`p${at}`)!
  }
  return found
}

function parameterIn(segment: string): { readonly name: string | null; readonly rest: boolean } {
  const [, name = null, plus] = /^\{(\w+)(\+)?\}$/.exec(segment) ?? []
  return { name, rest: plus !== undefined }
}
