import { codec, type CodecValue, type EngineRequest } from 'weft/consensus'

const { number, flag } = codec
const MAX_HASH_LENGTH = 64

/** A place in the log: an index and the term of its entry. 0 and 0 before the first. */
export const Position = codec.struct({ index: number, term: number })
export type Position = CodecValue<typeof Position>

/** An entry of the log. Without requests it makes no block. */
export interface Entry {
  readonly term: number
  /** The requests as bytes, for disk and network. */
  readonly body: Uint8Array
  readonly requests: readonly EngineRequest[]
  /** The last one of a batch that this leader cut: its delivery makes room for another. */
  readonly endsBatch?: boolean
}
export const Entry = codec.map(codec.struct({ term: number, body: codec.bytes }), entryOf, (entry: Entry) => entry)

/** The state after an entry, which a member that is too far behind the log transfers, and who has delivered it. */
const Offer = codec.struct({ at: Position, height: codec.bigint, hash: codec.bytes, members: codec.list(number) })
export type Offer = CodecValue<typeof Offer>

const Message = codec.oneOf('kind', {
  /** Requests to the leader, from a member that has delivered the log up to `delivered`. */
  forward: { delivered: number, requests: codec.requests },
  /** `isPre`: would you vote for me in this term? Nothing is promised. `isHandOver`: the leader itself asked for it. */
  campaign: { term: number, isPre: flag, isHandOver: flag, last: Position },
  vote: { term: number, isPre: flag, isYes: flag },
  append: { term: number, before: Position, commit: number, entries: codec.list(Entry) },
  /** Ok: the log is the leader's up to `index`. Otherwise: what is `before` is not there, but `index` may be. */
  appended: { term: number, isOk: flag, before: number, index: number, delivered: number },
  offer: { term: number, offer: Offer },
  'hand-over': { term: number },
})
export type Message = CodecValue<typeof Message>
export const encodeMessage = (message: Message): Uint8Array => Message.encode(message)

/** Undefined for what no member says in a network of so many. */
export function decodeMessage(bytes: Uint8Array, members: number): Message | undefined {
  const message = Message.decode(bytes)
  return message && isSound(message, members) ? message : undefined
}

function isSound(message: Message, count: number): boolean {
  if (message.kind === 'offer') return message.offer.hash.length <= MAX_HASH_LENGTH && message.offer.members.every((member) => member < count)
  if (message.kind !== 'append') return true
  const terms = message.entries.map(({ term }) => term)
  return [message.before.term, ...terms].every((own, place) => own <= (terms[place] ?? message.term))
}

/** Undefined if the body is none. It is copied: what is kept does not keep the message, of which it is a part. */
function entryOf({ term, body: read }: Pick<Entry, 'term' | 'body'>): Entry | undefined {
  const body = new Uint8Array(read)
  const requests = codec.requests.decode(body)
  return requests && { term, body, requests }
}

/** The entry of these requests. */
export function entryFor(term: number, requests: readonly EngineRequest[], endsBatch: boolean): Entry {
  return { term, requests, endsBatch, body: codec.requests.encode(requests) }
}
