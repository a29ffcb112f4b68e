import { goString } from '../../../proto/index.js'
import type { RpcId } from './request.js'

/** The errors of /chaincode (spec/node.md §6.4). */
export const RPC_ERRORS = {
  invalidRequest: { code: -32600, message: 'Invalid request' },
  methodNotFound: { code: -32601, message: 'Method not found' },
  invalidParams: { code: -32602, message: 'Invalid params' },
  internal: { code: -32603, message: 'Internal error' },
  parse: { code: -32700, message: 'Parse error' },
  deployment: { code: -32001, message: 'Deployment failure' },
  invocation: { code: -32002, message: 'Invocation failure' },
  query: { code: -32003, message: 'Query failure' },
} as const

export type RpcError = (typeof RPC_ERRORS)[keyof typeof RPC_ERRORS]

/** What is answered to one request. */
export interface RpcAnswer {
  readonly status: number
  /** Empty for notifications. */
  readonly body: string
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number
}

/** A request refused before the method looks at it: these end with a newline, the others do not. */
export function refusal(status: number, error: RpcError, data: string, id: RpcId | undefined): RpcAnswer {
  return { status, body: `${errorBody(error, data, id)}\n` }
}

/** What went wrong with a method. */
export function failure(error: RpcError, data: string, id: RpcId | undefined, retryAfter?: number): RpcAnswer {
  return { status: 200, body: errorBody(error, data, id), ...(retryAfter === undefined ? {} : { retryAfter }) }
}

export function success(message: string, id: RpcId | undefined): RpcAnswer {
  const text = message === '' ? '' : `,"message":${goString(message)}`
  return { status: 200, body: `{"jsonrpc":"2.0","result":{"status":"OK"${text}},"id":${idJson(id)}}` }
}

function errorBody({ code, message }: RpcError, data: string, id: RpcId | undefined): string {
  return `{"jsonrpc":"2.0","error":{"code":${code},"message":${goString(message)},"data":${goString(data)}},"id":${idJson(id)}}`
}

function idJson(id: RpcId | undefined): string {
  if (id === undefined) return 'null'
  return typeof id === 'string' ? goString(id) : id.toString()
}
