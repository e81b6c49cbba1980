import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { ERRORS } from '../../model/error-catalogue.ts'
import { SkilletError } from '../../model/errors.ts'
import type { Visit } from './visit.ts'

/** Does the work of a method: what is thrown becomes what JSON-RPC says of it, and a fault of ours shows nothing of itself. */
export async function told<T>(visit: Pick<Visit, 'fault'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    if (error instanceof SkilletError) throw rpcErrorOf(error)
    visit.fault(error)
    throw new ProtocolError(ProtocolErrorCode.InternalError, 'The request could not be completed.')
  }
}

/** Parameters that name nothing, or are wrong. */
export const invalid = (message: string): ProtocolError => new ProtocolError(ProtocolErrorCode.InvalidParams, message)

function rpcErrorOf({ code, message }: SkilletError): ProtocolError {
  const { status, fix } = ERRORS[code]
  const kind = status < 500 ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError
  return new ProtocolError(kind, message, { code, fix })
}
