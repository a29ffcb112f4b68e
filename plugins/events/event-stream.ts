import { type Client, type ClientDuplexStream, Metadata } from '@grpc/grpc-js'
import { type Encodable, Event, EventsService, type Interest, type Method, PositionedEvent, decode, encode, openStream } from '../../proto/index.js'
import { AFTER_EVENT, FROM_BLOCK } from './metadata.js'

/** Where a stream begins. */
export type StreamStart = { readonly from: string } | { readonly after: string }

/** An event as it came. */
export interface FollowedEvent {
  /** Empty if the peer does not number its events, as those of v0.6. */
  readonly id: string
  readonly event: Exclude<NonNullable<PositionedEvent['Event']>, { readonly $case: 'register' | 'unregister' }>
  /** Readable as a `protos.Event` and as a `weft.PositionedEvent`. */
  readonly bytes: Uint8Array
}

interface Received {
  readonly bytes: Uint8Array
  readonly message: PositionedEvent
}

const MAX_BATCH = 256

const CHAT: Method<Event, Received, true> = {
  ...EventsService.chat,
  responseSerialize: (value) => Buffer.from(value instanceof Uint8Array ? value : value.bytes),
  responseDeserialize: (bytes) => ({ bytes, message: decode(PositionedEvent, bytes) }),
}

/**
 * Registers with an event hub and gives what comes, whatever is there at a time in one piece. Ends when the peer ends the stream;
 * throws the ServiceError of @grpc/grpc-js if it fails.
 *
 * @param onStart told where the stream begins; `undefined`: the peer sends what happens from now on and cannot replay, as those of v0.6
 */
export async function* followEvents(
  client: Client,
  interests: Interest[],
  start: StreamStart,
  onStart: (start: StreamStart | undefined) => void,
): AsyncGenerator<FollowedEvent[]> {
  const metadata = new Metadata()
  if ('from' in start) metadata.set(FROM_BLOCK, start.from)
  else metadata.set(AFTER_EVENT, start.after)
  const call = openStream(client, CHAT, metadata)
  call.once('metadata', (answer: Metadata) => onStart(startIn(answer)))
  const arrivals = new Arrivals(call)
  try {
    call.write(encode(Event, { Event: { $case: 'register', value: { events: interests } } }))
    for (let batch = await arrivals.next(); batch !== undefined; batch = await arrivals.next()) {
      const events = batch.flatMap(({ bytes, message: { Event: event, position: id } }) =>
        event === undefined || event.$case === 'register' || event.$case === 'unregister' ? [] : [{ id, event, bytes }],
      )
      if (events.length > 0) yield events
    }
  } finally {
    call.cancel()
  }
}

function startIn(answer: Metadata): StreamStart | undefined {
  const [from] = answer.get(FROM_BLOCK)
  const [after] = answer.get(AFTER_EVENT)
  if (from !== undefined) return { from: String(from) }
  return after === undefined ? undefined : { after: String(after) }
}

/** What a stream has received, read in pieces. */
class Arrivals {
  private failure: Error | undefined
  private isOver = false
  private wake = (): void => undefined

  constructor(private readonly call: ClientDuplexStream<Encodable<Event>, Received>) {
    call.on('readable', () => this.wake())
    call.on('error', (error) => {
      this.failure = error
      this.wake()
    })
    call.on('end', () => {
      this.isOver = true
      this.wake()
    })
  }

  /** `undefined` when the stream has ended; what came before a failure is given before it is thrown. */
  async next(): Promise<Received[] | undefined> {
    for (;;) {
      const batch: Received[] = []
      for (let received = this.read(); received !== null; received = this.read()) if (batch.push(received) === MAX_BATCH) break
      if (batch.length > 0) return batch
      if (this.failure !== undefined) throw this.failure
      // A status that is an error comes after the end.
      if (this.isOver) await new Promise((resolve) => setImmediate(resolve))
      if (this.failure !== undefined) throw this.failure
      if (this.isOver) return undefined
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  private read(): Received | null {
    return this.call.read()
  }
}
