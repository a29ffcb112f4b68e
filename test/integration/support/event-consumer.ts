import { Client, type ClientDuplexStream, Metadata, credentials } from '@grpc/grpc-js'
import { type Encodable, Event, EventType, EventsService, type Interest, PositionedEvent, method, openStream } from '../../../proto/index.js'
import { until } from './peer.js'

const CHAT = method(EventsService.chat.path, true, Event, PositionedEvent)

/** An event as a consumer got it, with the id that only replaying streams carry. */
export type SeenEvent = NonNullable<Event['Event']> & { readonly position: string }

/** A consumer of the event hub that speaks plain gRPC, as a program made for v0.6 does. */
export class EventConsumer {
  readonly seen: SeenEvent[] = []
  readonly ended: Promise<{ readonly code: number; readonly details: string }>
  readonly stream: ClientDuplexStream<Encodable<Event>, PositionedEvent>
  readonly #client: Client

  constructor(
    readonly address: string,
    metadata: Readonly<Record<string, string>> = {},
  ) {
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.enable_http_proxy': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.primary_user_agent': 'grpc-go/0.11',
    })
    const sent = new Metadata()
    for (const [name, value] of Object.entries(metadata)) sent.set(name, value)
    this.stream = openStream(this.#client, CHAT, sent)
    this.stream.on('error', () => undefined) // `ended` tells it
    this.stream.on('data', ({ Event: event, position }: PositionedEvent) => event && this.seen.push({ ...event, position }))
    this.ended = new Promise((resolve) => this.stream.on('status', ({ code, details }) => resolve({ code, details })))
  }

  /** Registers, and waits for the echo. */
  async register(...events: Interest[]): Promise<this> {
    const before = this.of('register').length
    this.send({ $case: 'register', value: { events } })
    await until('the registration is echoed', () => this.of('register').length > before)
    return this
  }

  send(event: Event['Event']): void {
    this.stream.write({ Event: event })
  }

  /** What came of one kind. */
  of<K extends SeenEvent['$case']>(kind: K): Extract<SeenEvent, { $case: K }>[] {
    return this.seen.filter((event): event is Extract<SeenEvent, { $case: K }> => event.$case === kind)
  }

  /** Everything but echoes. */
  get events(): SeenEvent[] {
    return this.seen.filter(({ $case }) => $case !== 'register' && $case !== 'unregister')
  }

  async until(count: number, timeoutMs?: number): Promise<SeenEvent[]> {
    await until(`${count} events, ${this.events.length} have come`, () => this.events.length >= count, timeoutMs)
    return this.events
  }

  close(): void {
    this.stream.cancel()
    this.#client.close()
  }
}

export const blocks: Interest = { eventType: EventType.BLOCK, RegInfo: undefined }
export const rejections: Interest = { eventType: EventType.REJECTION, RegInfo: undefined }

export function chaincodeEvents(chaincodeID: string, eventName = ''): Interest {
  return { eventType: EventType.CHAINCODE, RegInfo: { $case: 'chaincodeRegInfo', value: { chaincodeID, eventName } } }
}
