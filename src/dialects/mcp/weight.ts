import { SkilletError } from '../../model/errors.ts'
import { LIMITS } from '../../model/sizes.ts'

type Message = Readonly<Record<string, unknown>>

/** A message that the official server may look at, and what it is not to look at. */
export interface Weighed {
  readonly message: Message
  /** Arguments of a call, where they are many; the message has none then. Null: they are where they were. */
  readonly aside: Readonly<Record<string, unknown>> | null
}

/**
 * The official server copies and checks each member of a message several times, on the thread that serves everybody. What a skill gets is
 * checked against its schema elsewhere, so large arguments go around it; nothing else in a message is ever large.
 * @param body Just parsed, from a text of so many characters: it is taken apart. @throws SkilletError body_too_large
 */
export function weighed(body: Record<string, unknown>, length: number): Weighed {
  const { method, params } = body
  let aside: Weighed['aside'] = null
  if (method === 'tools/call' && isObject(params)) {
    const given = params['arguments']
    if (isObject(given) && (length > LIMITS.rpcChars || !isLight(given))) {
      aside = given
      params['arguments'] = {}
    }
  }
  if (isLight(body)) return { message: body, aside }
  throw new SkilletError(
    'body_too_large',
    `Besides the arguments of a tool, a message has at most ${LIMITS.rpcMembers} members and ${LIMITS.rpcChars} characters.`,
  )
}

/** Stops counting where it is too much. */
function isLight(whole: object): boolean {
  let members = 0
  let chars = 0
  const open: object[] = [whole]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    // To begin with a list takes as long as all of it.
    if (Array.isArray(value) && members + value.length > LIMITS.rpcMembers) return false
    // What was parsed inherits nothing that is listed.
    for (const key in value) {
      const one = (value as Record<string, unknown>)[key]
      chars += key.length + (typeof one === 'string' ? one.length : 0)
      if (++members > LIMITS.rpcMembers || chars > LIMITS.rpcChars) return false
      if (typeof one === 'object' && one !== null) open.push(one)
    }
  }
  return true
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
