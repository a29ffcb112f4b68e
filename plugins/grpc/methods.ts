import { status, Metadata, type ServerDuplexStream, type ServerUnaryCall, type ServerWritableStream, type handleUnaryCall } from '@grpc/grpc-js'
import { type Http2Stream, constants } from 'node:http2'
import { PeerError, messageOf } from '../../kernel/index.js'

/** Longer texts would exceed the header limits of old clients. */
const MAX_DETAILS_CHARACTERS = 4000

/** An error as gRPC carries it: a status code and a text. */
export interface GrpcStatus {
  readonly code: number
  readonly details: string
  readonly metadata?: Metadata
}

/**
 * What a client is told about something that was thrown: a {@link PeerError} with its `grpcStatus`, an error that already has
 * a numeric gRPC `code` as it is, everything else as status 2, UNKNOWN, with its message (spec/wire.md §1).
 */
export function toGrpcStatus(thrown: unknown): GrpcStatus {
  if (thrown instanceof PeerError) return { code: thrown.grpcStatus, details: wellFormed(thrown.message), ...pushback(thrown) }
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'number') {
    const details = 'details' in thrown && typeof thrown.details === 'string' ? thrown.details : messageOf(thrown)
    return { code: thrown.code, details: wellFormed(details) }
  }
  return { code: status.UNKNOWN, details: wellFormed(messageOf(thrown)) }
}

/** When to come again, in the trailer that gRPC's own retrying clients obey. */
function pushback({ details: { retryAfterMs } }: PeerError): { readonly metadata?: Metadata } {
  if (typeof retryAfterMs !== 'number') return {}
  const metadata = new Metadata()
  metadata.set('grpc-retry-pushback-ms', String(Math.ceil(retryAfterMs)))
  return { metadata }
}

/** Lone surrogates would make grpc-js throw while it encodes the status. */
function wellFormed(text: string): string {
  return Buffer.from(text.slice(0, MAX_DETAILS_CHARACTERS)).toString()
}

/**
 * A unary method as an async function. What it throws is answered as {@link toGrpcStatus} says.
 *
 * @example
 * listeners.get('peer').add(AdminService, { getStatus: unary(async () => ({ status: ServerStatus_StatusCode.STARTED })) })
 */
export function unary<Request, Reply>(work: (request: Request, call: ServerUnaryCall<Request, Reply>) => Promise<Reply>): handleUnaryCall<Request, Reply> {
  const answer: (...args: Parameters<handleUnaryCall<Request, Reply>>) => Promise<void> = async (call, callback) => {
    try {
      callback(null, await work(call.request, call))
    } catch (error) {
      callback(toGrpcStatus(error))
    }
  }
  return (call, callback) => void answer(call, callback)
}

/** Ends a stream towards the client with an error; further calls do nothing. */
export function failStream(call: ServerDuplexStream<unknown, unknown> | ServerWritableStream<unknown, unknown>, error: unknown): void {
  // grpc-js turns the first 'error' event of a server stream into its status.
  call.emit('error', toGrpcStatus(error))
}

/**
 * Ends a stream at once, also towards a client that does not read: what was not sent is dropped, the client sees CANCELLED. grpc-js itself waits
 * until everything before the status has been read, for ever if need be. Does nothing to a stream that has ended.
 */
export function cutStream(call: ServerDuplexStream<unknown, unknown> | ServerWritableStream<unknown, unknown>): void {
  // Not part of grpc-js's types; test/grpc/cut-stream.test.ts tells if a version keeps its HTTP/2 stream elsewhere.
  let holder: unknown = call
  for (let depth = 0; depth < 4 && typeof holder === 'object' && holder !== null; depth++) {
    if ('stream' in holder && isHttp2Stream(holder.stream)) return holder.stream.close(constants.NGHTTP2_CANCEL)
    holder = 'call' in holder ? holder.call : 'nextCall' in holder ? holder.nextCall : undefined
  }
}

function isHttp2Stream(value: unknown): value is Http2Stream {
  return typeof value === 'object' && value !== null && 'rstCode' in value && 'close' in value && typeof value.close === 'function'
}

/**
 * A streaming method (server stream or both directions) as an async function: the stream ends when it returns, and with an
 * error when it throws.
 */
export function streaming<Call extends ServerDuplexStream<unknown, unknown> | ServerWritableStream<unknown, unknown>>(
  work: (call: Call) => Promise<void>,
): (call: Call) => void {
  return (call) => {
    work(call)
      .then(() => call.end())
      .catch((error: unknown) => failStream(call, error))
  }
}
