import type { z } from 'zod'
import type { Coverage } from '../model/coverage.ts'
import type { Operation } from '../access/permissions.ts'
import type { Caller } from '../model/access.ts'
import type { SkilletError } from '../model/errors.ts'
import type { ErrorCode } from '../model/error-catalogue.ts'
import type { Hold } from './payload-room.ts'
import type { Reply } from './reply.ts'

/** How a dialect other than our own says who is calling, and what went wrong. Its routes are not in /openapi.json. */
export interface Dialect {
  /** Parameter of the path that says who is calling: it is none to handlers and logs. Default: there is none. */
  readonly credential?: string
  /** What an Authorization header would hold. @param credential What the path has in that parameter. */
  authorization(header: (name: string) => string | undefined, credential?: string): string | undefined
  /** @param headers What the native answer says besides: Retry-After, limits of rates, WWW-Authenticate. */
  failure(
    error: SkilletError,
    request: { readonly id: string; readonly header: (name: string) => string | undefined; readonly url: URL },
    headers: Readonly<Record<string, string>>,
  ): Reply
}

/** One route, declared once: what is served, checked and documented all comes from here. */
export interface RouteSpec<
  Path extends string = string,
  Access extends Operation | 'public' = Operation | 'public',
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
> {
  /** camelCase and unique: the operation's name in generated clients. */
  readonly id: string
  readonly tag:
    | 'skills'
    | 'stages'
    | 'uploads'
    | 'versions'
    | 'catalogue'
    | 'tools'
    | 'dialects'
    | 'runs'
    | 'queues'
    | 'access'
    | 'secrets'
    | 'usage'
    | 'audit'
    | 'schedules'
    | 'webhooks'
    | 'operator'
    | 'server'
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With parameters as `{name}`; `{name+}` takes the rest, with its slashes. */
  readonly path: Path
  /** What the caller must be allowed to do; `public` asks for no key. */
  readonly access: Access
  /** Default: our own. */
  readonly dialect?: Dialect
  readonly summary: string
  readonly description?: string
  readonly query?: Query
  readonly body?: Body
  /** The body may be left out, and then counts as `{}`. */
  readonly bodyOptional?: boolean
  /** Of a JSON body. Default LIMITS.bodyBytes. */
  readonly maxBytes?: number
  /** A body that is not JSON: its content type. The handler reads `call.stream()`. */
  readonly rawBody?: string
  /** Request headers that mean something here, with what they mean. */
  readonly headers?: Readonly<Record<string, string>>
  readonly responses: Readonly<Record<number, ResponseSpec>>
  /** Besides those that follow from the declaration itself (error-codes.ts). */
  readonly errors: readonly ErrorCode[]
  handle(
    call: Call<ParamsOf<Path>, Query, Body> & (Access extends 'public' ? object : { readonly caller: Caller }),
  ): Promise<Reply> | Reply
}

export interface ResponseSpec {
  readonly description: string
  readonly schema?: z.ZodType
  /** Other representations by content type; of an event stream, the schema of each event's data. */
  readonly also?: Readonly<Record<string, z.ZodType>>
  readonly headers?: Readonly<Record<string, string>>
}

/** What no id, name, version or upload contains is not looked up. */
export const PATH_PARAM = /^[A-Za-z0-9._+-]{1,100}$/

/** A request as handlers see it. */
interface Call<Params, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: Params
  readonly query: z.output<Query>
  readonly body: z.output<Body>
  /** The JSON text that `body` was read from. */
  readonly text: string
  /** What of a list the caller may see; null: everything. Only lists have to look at it: what the path names is covered. */
  readonly coverage: Coverage | null
  /** Which request this is and where it came from. */
  readonly from: Pick<Caller, 'request_id' | 'client'>
  /** As it was asked for. */
  url(): URL
  header(name: string): string | undefined
  /** For handlers of other people's making. */
  request(): Request
  /** Aborted when the client has gone or the server stops. */
  signal(): AbortSignal
  /**
   * Aborted when the caller would not be let in any more just as it was: for answers that go on for hours.
   * @param over Aborted when nobody needs to know any longer.
   */
  lost(over: AbortSignal): AbortSignal
  /** The body as it arrives. */
  stream(): AsyncIterable<Uint8Array>
  /** For what is held in memory besides `body` and what the handler answers with. */
  readonly hold: Hold
  /** Tells of a fault of ours where the answer cannot: it has begun, or is made by others. */
  fault(error: unknown): void
}

type ParamsOf<Path extends string> = Record<ParamNames<Path>, string>
type ParamNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `${infer Bare}+` ? Bare : Name) | ParamNames<Rest>
  : never

/** A route with its types checked and then forgotten, so that routes of all shapes fit into one list. */
export type Route = Omit<RouteSpec, 'handle'> & { handle(call: AnyCall): Promise<Reply> | Reply }
export type AnyCall = Call<Record<string, string>, z.ZodType, z.ZodType> & { readonly caller: Caller | null }

export function route<
  const Path extends string,
  const Access extends Operation | 'public',
  Query extends z.ZodType = z.ZodType<undefined>,
  Body extends z.ZodType = z.ZodType<undefined>,
>(spec: RouteSpec<Path, Access, Query, Body>): Route {
  return spec as unknown as Route
}
