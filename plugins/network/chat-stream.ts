import type { ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js'
import { messageOf, PeerError } from '../../kernel/index.js'
import type { Encodable, Message } from '../../proto/index.js'
import { failStream } from '../grpc/index.js'

const FAILED_PRECONDITION = 9
const FAREWELL_MS = 2000

/** What a link does with the two directions of one stream. */
export interface ChatStream {
  /** Where the other end is, for logs. */
  readonly remote: string
  /** False: write nothing more before `drain`. */
  write(frame: Uint8Array): boolean
  /** No messages come until `resume`; the sender is slowed down by flow control. */
  pause(): void
  resume(): void
  /** Ends the stream in good order, what was written before it still arrives; `reason` is for the other end. */
  end(reason: string | undefined): void
  /** To be called once. `closed` is the last call and comes once. */
  listen(handlers: ChatHandlers): void
}

export interface ChatHandlers {
  message(message: Message): void
  drain(): void
  closed(reason: string): void
}

/** A stream that this peer opened. `close` ends its connection. */
export function dialledStream(call: ClientDuplexStream<Encodable<Message>, Message>, remote: string, close: () => void): ChatStream {
  return {
    ...common(call, remote),
    end() {
      call.end()
      // Whoever does not end its half is cut off.
      setTimeout(() => call.cancel(), FAREWELL_MS).unref()
    },
    listen(handlers) {
      listenTo(call, handlers, close)
    },
  }
}

/** A stream that the other end opened. */
export function acceptedStream(call: ServerDuplexStream<Message, Encodable<Message>>, remote: string): ChatStream {
  return {
    ...common(call, remote),
    end(reason) {
      if (reason === undefined) call.end()
      else failStream(call, new PeerError('ERR_NETWORK_LINK_ENDED', reason, { grpcStatus: FAILED_PRECONDITION }))
    },
    listen(handlers) {
      listenTo(call, handlers, () => call.end())
      call.on('cancelled', () => call.destroy())
    },
  }
}

type Call = ClientDuplexStream<Encodable<Message>, Message> | ServerDuplexStream<Message, Encodable<Message>>

function common(call: Call, remote: string): Pick<ChatStream, 'remote' | 'write' | 'pause' | 'resume'> {
  return {
    remote,
    write: (frame) => (call.writable ? call.write(frame) : false),
    pause: () => void call.pause(),
    resume: () => void call.resume(),
  }
}

function listenTo(call: Call, handlers: ChatHandlers, after: () => void): void {
  let isOver = false
  const over = (reason: string) => (): void => {
    if (isOver) return
    isOver = true
    after()
    handlers.closed(reason)
  }
  call.on('data', (received: Message) => {
    if (!isOver) handlers.message(received)
  })
  call.on('drain', () => {
    if (!isOver) handlers.drain()
  })
  call.on('error', (error: unknown) => over(messageOf(error))())
  call.on('cancelled', over('cancelled by the other end'))
  call.on('end', over('ended by the other end'))
  call.on('close', over('closed'))
}
