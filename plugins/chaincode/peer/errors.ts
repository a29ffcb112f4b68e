import { PeerError } from '../../../kernel/index.js'

const LOCAL_FAULTS: ReadonlySet<string> = new Set(['ERR_CHAINCODE_LOST', 'ERR_CHAINCODE_START', 'ERR_CHAINCODE_STARVED'])

/** A chaincode went away before it answered (spec/chaincode.md §5.8). `retryable`: a fresh runtime may answer. */
export function lostError(name: string, reason: string): PeerError {
  return new PeerError('ERR_CHAINCODE_LOST', `chaincode ${name} went away before it answered: ${reason}`, { details: { name, reason }, retryable: true })
}

/** A text of v0.6 as the reason why something was not executed. */
export function refusal(text: string, facts: { readonly hint?: string; readonly cause?: unknown; readonly retryable?: boolean } = {}): PeerError {
  return new PeerError('ERR_CHAINCODE_REFUSED', text, facts)
}

/** A limit in time was reached; the chaincode is in an unknown state. */
export function timeoutError(text: string): PeerError {
  return new PeerError('ERR_CHAINCODE_TIMEOUT', text)
}

/** This machine could not start a chaincode: a local fault, not an answer. The message is v0.6's text. */
export function startError(text: string, cause: unknown): PeerError {
  return new PeerError('ERR_CHAINCODE_START', text, {
    cause,
    retryable: true,
    ...(cause instanceof PeerError && cause.hint !== undefined ? { hint: cause.hint } : {}),
  })
}

/** A transaction took too long on a chaincode that was busy with queries, which no other validator has: a local fault. */
export function starvedError(text: string): PeerError {
  return new PeerError('ERR_CHAINCODE_STARVED', text, { retryable: true })
}

/** True for what went wrong on this machine alone and may go well when tried once more. */
export function isLocalFault(thrown: unknown): thrown is PeerError {
  return thrown instanceof PeerError && LOCAL_FAULTS.has(thrown.code)
}
