import { messageOf } from '../errors.js'

/**
 * An error of a gRPC call as v0.6's clients print it: `rpc error: code = 2 desc = <text>` (spec/node.md §1).
 * Anything else that was thrown is its message.
 */
export function rpcErrorText(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error && typeof error.details === 'string') {
    return `rpc error: code = ${error.code} desc = ${error.details}`
  }
  return messageOf(error)
}
