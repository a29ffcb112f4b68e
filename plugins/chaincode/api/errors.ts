import { text } from './bytes.js'

/** Base of what the chaincode API throws. Uncaught in a handler it fails the transaction with its message. */
export class ApiError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** A called chaincode failed; the message is its error text (spec/chaincode.md §8). */
export class ChaincodeError extends ApiError {
  constructor(
    readonly chaincode: string,
    message: string,
  ) {
    super(message)
  }
}

/** The peer refused one request. Only that request has failed: the transaction goes on and may still succeed. */
export class RequestError extends ApiError {}

/** A write or an invocation of another chaincode was tried in a query. */
export class ReadOnlyError extends ApiError {}

/** A request came after its handler had returned or thrown. */
export class TransactionEndedError extends ApiError {
  constructor(readonly txId: string) {
    super(`transaction ${txId} has ended for this chaincode: await every request before the handler returns`)
  }
}

/** There is no such table. */
export class TableNotFoundError extends ApiError {
  constructor(readonly table: string) {
    super('chaincode: Table not found')
  }
}

/** A table definition, row or key does not fit; the message is v0.6's (spec/chaincode.md §18.2). */
export class TableError extends ApiError {}

/** The caller's certificate or its attributes cannot be read; the message is v0.6's (spec/chaincode.md §17.2). */
export class IdentityError extends ApiError {}

/** What v0.6 answers to a PUT_STATE with an empty key or value (spec/chaincode.md §6). */
export function emptyPutText(key: Uint8Array, value: Uint8Array): string {
  return `LedgerError - InvalidArgument: An empty string key or a nil value is not supported. Method invoked with key='${text(key)}', value='${goBytes(value)}'`
}

/** Longest value that an error message spells out. */
const MAX_PRINTED_BYTES = 1024

/** Bytes as a Go literal; absent and empty are the same on the wire. */
function goBytes(value: Uint8Array): string {
  if (value.length === 0) return '[]byte(nil)'
  const shown = Array.from(value.subarray(0, MAX_PRINTED_BYTES), (byte) => `0x${byte.toString(16)}`)
  return `[]byte{${shown.join(', ')}${value.length > MAX_PRINTED_BYTES ? ', ...' : ''}}`
}

/** The text that a failed handler leaves: the message of an Error, else the thrown value as a string. */
export function failureText(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message
  return typeof thrown === 'string' ? thrown : `the chaincode threw a ${thrown === null ? 'null' : typeof thrown} instead of an Error`
}
