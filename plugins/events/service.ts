import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js'
import { type Logger, PeerError, messageOf } from '../../kernel/index.js'
import { type Encodable, Event, EventsService, type Interest, type Method, type ServiceHandlers, canonicalBytes, decode } from '../../proto/index.js'
import { cutStream, failStream } from '../grpc/index.js'
import type { Consumer, Outlet } from './consumer.js'
import type { EventHub } from './hub.js'
import { Interests } from './interests.js'
import { AFTER_EVENT, FROM_BLOCK } from './metadata.js'
import { parseBlockNumber, parsePosition, positionText } from './position.js'
import type { ReplayStart } from './replay-feed.js'

/** What a consumer sends; its canonical bytes are echoed, so that text in it that is not UTF-8 comes back as it was. */
export interface ReceivedEvent {
  readonly bytes: Uint8Array
  readonly event: Event
}

const RESOURCE_EXHAUSTED = 8
const INVALID_ARGUMENT = 3
const MAX_MESSAGE_BYTES = 1024 * 1024
const MAX_INTERESTS = 1000
/** More failed interests of one stream are logged on level debug only. */
const MAX_WARNINGS = 5

const chat: Method<ReceivedEvent, Event, true> = { ...EventsService.chat, requestSerialize: bytesOf, requestDeserialize: readEvent }

/** `protos.Events` as it is served. */
export const eventsServiceDefinition = { chat }

type Call = ServerDuplexStream<ReceivedEvent, Encodable<Event>>

/** The event hub over gRPC (spec/node.md §7). */
export function eventsService(hub: EventHub, log: Logger): ServiceHandlers<typeof eventsServiceDefinition> {
  return {
    chat: (call) => {
      new ChatStream(hub, call, log).open()
    },
  }
}

/** One consumer's stream. */
class ChatStream implements Outlet {
  readonly remote: string
  private readonly interests = new Interests()
  private readonly consumer: Consumer
  private readonly start: ReplayStart | undefined
  private warnings = 0

  constructor(
    private readonly hub: EventHub,
    private readonly call: Call,
    private readonly log: Logger,
  ) {
    this.remote = call.getPeer()
    this.start = replayStart(call.metadata, hub)
    if (this.start !== undefined) hub.checkStart(this.start)
    this.consumer = hub.admit(this, () => this.call.resume())
  }

  open(): void {
    const { call, consumer, start } = this
    // Tells that this peer replays, and from where: who asked for the next block can come back to it although nothing has come yet.
    if (start !== undefined) call.sendMetadata(answerOf(start))
    call.on('data', (received: ReceivedEvent) => this.receive(received))
    call.on('end', () => call.end())
    // Comes after the status was sent, too.
    call.on('cancelled', () => consumer.release())
  }

  write(bytes: Uint8Array, sent: () => void): void {
    this.call.write(bytes, sent)
  }

  fail(reason: PeerError): void {
    failStream(this.call, reason)
  }

  cut(): void {
    cutStream(this.call)
  }

  private receive({ bytes, event: { Event: member } }: ReceivedEvent): void {
    try {
      if (member?.$case === 'register') this.register(member.value.events)
      else if (member?.$case === 'unregister') this.change(member.value.events, (interest) => this.interests.remove(interest), 'unregistering')
      else if (member !== undefined) throw new PeerError('ERR_EVENTS_MESSAGE', `Invalide type from client *protos.Event_${typeName(member.$case)}`)
    } catch (error) {
      this.consumer.finish(error instanceof PeerError ? error : new PeerError('ERR_EVENTS_MESSAGE', messageOf(error), { cause: error }))
      return
    }
    this.consumer.outbox.push(bytes, false)
    // Who sends without reading gets no further.
    if (!this.consumer.outbox.hasRoom) this.call.pause()
  }

  private register(interests: readonly Interest[]): void {
    if (this.interests.size + interests.length > MAX_INTERESTS) {
      throw new PeerError('ERR_EVENTS_INTERESTS', `a consumer may have ${MAX_INTERESTS} interests, this would make ${this.interests.size + interests.length}`, {
        grpcStatus: RESOURCE_EXHAUSTED,
      })
    }
    this.change(interests, (interest) => this.interests.add(interest), 'registering')
    if (this.consumer.isFed) return
    if (this.start === undefined) this.hub.follow(this.consumer, this.interests)
    else this.hub.replay(this.consumer, this.interests, this.start, ({ positioned }) => positioned)
  }

  /** Failures do not show in the echo: they are logged. */
  private change(interests: readonly Interest[], apply: (interest: Interest) => void, what: string): void {
    for (const interest of interests) {
      try {
        apply(interest)
      } catch (error) {
        const level = this.warnings++ < MAX_WARNINGS ? 'warning' : 'debug'
        this.log[level](`${what} an interest failed: ${messageOf(error)}`, { remote: this.remote })
      }
    }
  }
}

function answerOf(start: ReplayStart): Metadata {
  const metadata = new Metadata()
  if ('from' in start) metadata.set(FROM_BLOCK, String(start.from))
  else metadata.set(AFTER_EVENT, positionText(start.after))
  return metadata
}

function replayStart(metadata: Metadata, hub: EventHub): ReplayStart | undefined {
  const [from] = metadata.get(FROM_BLOCK)
  const [after] = metadata.get(AFTER_EVENT)
  if (from !== undefined && after !== undefined) {
    throw new PeerError('ERR_EVENTS_POSITION', `expected one of ${FROM_BLOCK} and ${AFTER_EVENT}, found both`, { grpcStatus: INVALID_ARGUMENT })
  }
  if (after !== undefined) return { after: parsePosition(String(after), AFTER_EVENT) }
  if (from === undefined) return undefined
  return { from: from === 'next' ? hub.nextBlock() : parseBlockNumber(String(from), FROM_BLOCK) }
}

function readEvent(received: Buffer): ReceivedEvent {
  if (received.length > MAX_MESSAGE_BYTES) {
    throw new PeerError('ERR_EVENTS_MESSAGE', `expected a message of at most ${MAX_MESSAGE_BYTES} bytes, found ${received.length}`)
  }
  const bytes = new Uint8Array(canonicalBytes(Event, received))
  return { bytes, event: decode(Event, bytes) }
}

function bytesOf(value: Encodable<ReceivedEvent>): Buffer {
  const bytes = value instanceof Uint8Array ? value : value.bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** `chaincodeEvent` -> `ChaincodeEvent`. */
function typeName(member: string): string {
  return member.charAt(0).toUpperCase() + member.slice(1)
}
