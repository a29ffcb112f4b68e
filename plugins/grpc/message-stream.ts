import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js'
import type { ServerHttp2Stream } from 'node:http2'
import { type FrameRefusal, FrameReader, frameOf } from './message-frames.js'
import type { GrpcStatus } from './methods.js'

/** What a server does with the messages of one stream. */
export interface MessageReceiver {
  /** A message; a view of what was received. Does not throw. */
  message(bytes: Buffer): void
  /** The client sends nothing more. */
  halfClosed(): void
}

/** The server's side of one two-way stream whose messages are bytes. How it ends, the events of the call tell: `error`, `cancelled`, `close`. */
export interface MessageStream {
  /** A client that does not read what it is sent is not read either, so that nothing piles up here. Does nothing after the end. */
  send(message: Uint8Array): void
  /** Ends the stream with a status. */
  end(status: GrpcStatus): void
}

/** A call whose messages are bytes. */
export type BytesCall = ServerDuplexStream<Buffer, Uint8Array>

/**
 * Takes over the messages of a call, which nobody may have read yet. For streams on which one message waits for the other: the layers of grpc-js, made for
 * deadlines, compression and interceptors, are the larger part of what a small message costs, so this reads and writes the HTTP/2 stream below them.
 * Everything else (headers, status, cancellation) stays with grpc-js; so do the messages of a client that compresses them.
 */
export function messageStream(call: BytesCall, receiver: MessageReceiver): MessageStream {
  const below = layerBelow(call)
  return below === undefined ? new LayeredStream(call, receiver) : new DirectStream(call, below, receiver)
}

/** By the interfaces of grpc-js alone. */
class LayeredStream implements MessageStream {
  constructor(
    private readonly call: BytesCall,
    receiver: MessageReceiver,
  ) {
    call.on('drain', () => call.resume())
    call.on('data', (bytes: Buffer) => receiver.message(bytes))
    call.on('end', () => receiver.halfClosed())
  }

  send(message: Uint8Array): void {
    if (!this.call.write(message)) this.call.pause()
  }

  end(ending: GrpcStatus): void {
    this.call.emit('error', ending)
  }
}

class DirectStream implements MessageStream {
  private readonly reader: FrameReader
  private readonly stream: ServerHttp2Stream
  private isPaused = false
  /** The client has ended its side. */
  private hasEnded = false
  private isOver = false

  constructor(
    private readonly call: BytesCall,
    private readonly below: LayerBelow,
    private readonly receiver: MessageReceiver,
  ) {
    const { stream } = below
    this.stream = stream
    this.reader = new FrameReader(below.maxReceiveMessageSize)
    const over = (): void => {
      this.isOver = true
    }
    call.on('error', over)
    call.on('cancelled', over)
    // What happened to the connection follows as 'close', of which grpc-js makes 'cancelled'.
    stream.on('error', over)
    stream.removeAllListeners('data')
    stream.removeAllListeners('end')
    stream.on('data', (chunk: Buffer) => {
      if (this.isOver) return
      this.reader.add(chunk)
      this.deliver()
    })
    stream.on('end', () => {
      this.hasEnded = true
      this.deliver()
    })
    stream.on('drain', () => this.resume())
    stream.resume()
  }

  send(message: Uint8Array): void {
    const { stream, below } = this
    if (this.isOver || stream.destroyed || stream.closed || stream.writableEnded) return
    if (below.maxSendMessageSize >= 0 && message.length > below.maxSendMessageSize) {
      const details = `Sent message larger than max (${message.length} vs. ${below.maxSendMessageSize})`
      return this.end({ code: status.RESOURCE_EXHAUSTED, details })
    }
    // Not before: a stream that is refused is answered with its status alone.
    if (!stream.headersSent) this.call.sendMetadata(new Metadata())
    if (stream.write(frameOf(message))) return
    this.isPaused = true
    stream.pause()
  }

  end(ending: GrpcStatus): void {
    this.isOver = true
    this.call.emit('error', ending)
  }

  private deliver(): void {
    while (!this.isPaused && !this.isOver) {
      const next = this.reader.next()
      if (next === undefined) break
      if ('refusal' in next) return this.refuse(next)
      this.receiver.message(next)
    }
    if (!this.hasEnded || this.isPaused || this.isOver) return
    this.hasEnded = false
    this.receiver.halfClosed()
  }

  private refuse({ refusal, isTooLong }: FrameRefusal): void {
    this.end({ code: isTooLong ? status.RESOURCE_EXHAUSTED : status.INTERNAL, details: refusal })
  }

  private resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    this.deliver()
    if (!this.isPaused) this.stream.resume()
  }
}

/** What grpc-js keeps of a call that no interceptor stands before. */
interface LayerBelow {
  readonly stream: ServerHttp2Stream
  /** Messages that it has received already. */
  readonly readQueue: readonly unknown[]
  readonly incomingEncoding: 'identity'
  /** In bytes; -1: any. */
  readonly maxReceiveMessageSize: number
  readonly maxSendMessageSize: number
}

/** Not part of grpc-js's types; test/grpc/message-stream.test.ts tells if a version keeps it elsewhere. */
function layerBelow(call: object): LayerBelow | undefined {
  const layer: unknown = 'call' in call ? call.call : undefined
  return isLayerBelow(layer) && layer.readQueue.length === 0 ? layer : undefined
}

function isLayerBelow(layer: unknown): layer is LayerBelow {
  if (typeof layer !== 'object' || layer === null) return false
  if (!('stream' in layer && 'readQueue' in layer && 'incomingEncoding' in layer && 'maxReceiveMessageSize' in layer && 'maxSendMessageSize' in layer))
    return false
  const { stream, readQueue, incomingEncoding, maxReceiveMessageSize, maxSendMessageSize } = layer
  const isStream = typeof stream === 'object' && stream !== null && 'respond' in stream && 'rstCode' in stream
  return (
    isStream &&
    Array.isArray(readQueue) &&
    incomingEncoding === 'identity' &&
    typeof maxReceiveMessageSize === 'number' &&
    typeof maxSendMessageSize === 'number'
  )
}
