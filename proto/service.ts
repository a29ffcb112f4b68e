import {
  type CallOptions,
  type Client,
  type ClientDuplexStream,
  type deserialize,
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  type serialize,
} from '@grpc/grpc-js'
import { decode, encode, type MessageType } from './codec.js'

/** What a stream or call takes for a message: the message, or its serialised form, which is sent as it is. */
export type Encodable<T> = T | Uint8Array

/**
 * A gRPC method that encodes with the shared writer, without a second copy, takes serialised messages too, and decodes by the rules of v0.6.
 * `Streaming` tells a two-way stream from a unary call; v0.6 has no other kinds.
 */
export interface Method<Request, Response, Streaming extends boolean> extends MethodDefinition<Request, Response> {
  readonly path: string
  readonly requestStream: Streaming
  readonly responseStream: Streaming
  readonly requestSerialize: serialize<Encodable<Request>>
  readonly requestDeserialize: deserialize<Request>
  readonly responseSerialize: serialize<Encodable<Response>>
  readonly responseDeserialize: deserialize<Response>
}

/** What a server implements for one method of a service. */
export type MethodHandler<M> =
  M extends Method<infer Request, infer Response, infer Streaming>
    ? Streaming extends true
      ? handleBidiStreamingCall<Request, Encodable<Response>>
      : handleUnaryCall<Request, Encodable<Response>>
    : never

/** What a server implements for a service, e.g. `ServiceHandlers<typeof PeerService>`. */
export type ServiceHandlers<S> = { readonly [Name in keyof S]: MethodHandler<S[Name]> }

/** Limits of one call. Without a deadline or signal a call waits for ever. */
export interface UnaryCallOptions extends CallOptions {
  readonly metadata?: Metadata
  /** Cancels the call; the promise then rejects with gRPC status CANCELLED. */
  readonly signal?: AbortSignal
}

/** Describes a method. The generated services are built of these. */
export function method<Request, Response, Streaming extends boolean>(
  path: string,
  streaming: Streaming,
  requestType: MessageType<Request>,
  responseType: MessageType<Response>,
): Method<Request, Response, Streaming> {
  return {
    path,
    requestStream: streaming,
    responseStream: streaming,
    requestSerialize: serializer(requestType),
    requestDeserialize: (bytes) => decode(requestType, bytes),
    responseSerialize: serializer(responseType),
    responseDeserialize: (bytes) => decode(responseType, bytes),
  }
}

/** Calls a unary method. Rejects with the ServiceError of @grpc/grpc-js, whose `code` is the gRPC status. */
export function callUnary<Request, Response>(
  client: Client,
  { path, requestSerialize, responseDeserialize }: Method<Request, Response, false>,
  request: Encodable<Request>,
  { metadata = new Metadata(), signal, ...options }: UnaryCallOptions = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest<Encodable<Request>, Response>(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      options,
      (error, response) => {
        signal?.removeEventListener('abort', cancel)
        if (error) reject(error)
        else if (response === undefined) reject(new Error(`${path} ended without an error and without a response`))
        else resolve(response)
      },
    )
    const cancel = () => call.cancel()
    if (signal?.aborted) cancel()
    else signal?.addEventListener('abort', cancel, { once: true })
  })
}

/** Opens a two-way stream. */
export function openStream<Request, Response>(
  client: Client,
  { path, requestSerialize, responseDeserialize }: Method<Request, Response, true>,
  metadata: Metadata = new Metadata(),
  options: CallOptions = {},
): ClientDuplexStream<Encodable<Request>, Response> {
  return client.makeBidiStreamRequest<Encodable<Request>, Response>(path, requestSerialize, responseDeserialize, metadata, options)
}

function serializer<T>(type: MessageType<T>): serialize<Encodable<T>> {
  return (value) => {
    const bytes = value instanceof Uint8Array ? value : encode(type, value)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
}
