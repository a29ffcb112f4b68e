import { type EngineRequest, type MemberIndex, requestId } from 'weft/consensus'
import { pack, type Packed, unpack } from './bytes.js'

/** A place in the log: an index and the term of its entry. 0 and 0 before the first. */
export interface Position {
  readonly index: number
  readonly term: number
}

/** An entry of the log. Without requests it makes no block. */
export interface Entry {
  readonly term: number
  /** The requests as bytes, for disk and network. */
  readonly body: Uint8Array
  readonly requests: readonly EngineRequest[]
  /** The last one of a batch that this leader cut: its delivery makes room for another. */
  readonly endsBatch?: boolean
}

/** The state after an entry, which a member that is too far behind the log transfers. */
export interface Offer {
  readonly at: Position
  readonly height: bigint
  readonly hash: Uint8Array
  /** Who has delivered it. */
  readonly members: readonly MemberIndex[]
}

export type Message =
  /** Requests to the leader, from a member that has delivered the log up to `delivered`. */
  | { readonly kind: 'forward'; readonly delivered: number; readonly requests: readonly EngineRequest[] }
  /** `isPre`: would you vote for me in this term? Nothing is promised. `isHandOver`: the leader itself asked for it. */
  | { readonly kind: 'campaign'; readonly term: number; readonly isPre: boolean; readonly isHandOver: boolean; readonly last: Position }
  | { readonly kind: 'vote'; readonly term: number; readonly isPre: boolean; readonly isYes: boolean }
  | { readonly kind: 'append'; readonly term: number; readonly before: Position; readonly commit: number; readonly entries: readonly Entry[] }
  /** Ok: the log is the leader's up to `index`. Otherwise: what is `before` is not there, but `index` may be. */
  | {
      readonly kind: 'appended'
      readonly term: number
      readonly isOk: boolean
      readonly before: number
      readonly index: number
      readonly delivered: number
    }
  | { readonly kind: 'offer'; readonly term: number; readonly offer: Offer }
  | { readonly kind: 'hand-over'; readonly term: number }

const KINDS = ['forward', 'campaign', 'vote', 'append', 'appended', 'offer', 'hand-over'] as const
const MAX_HASH_LENGTH = 64

/** The place of the kind in `KINDS`, then numbers (flags are 0 and 1) and strings in the order of its type. */
export function encodeMessage(message: Message): Uint8Array {
  const [numbers, strings] = partsOf(message)
  return pack([KINDS.indexOf(message.kind), ...numbers], strings)
}

function partsOf(message: Message): readonly [readonly number[], readonly Uint8Array[]] {
  switch (message.kind) {
    case 'forward':
      return [[message.delivered], message.requests.map(({ bytes }) => bytes)]
    case 'campaign':
      return [[message.term, Number(message.isPre), Number(message.isHandOver), message.last.index, message.last.term], []]
    case 'vote':
      return [[message.term, Number(message.isPre), Number(message.isYes)], []]
    case 'append': {
      const { term, before, commit, entries } = message
      return [[term, before.index, before.term, commit, ...entries.map((entry) => entry.term)], entries.map(({ body }) => body)]
    }
    case 'appended':
      return [[message.term, Number(message.isOk), message.before, message.index, message.delivered], []]
    case 'offer': {
      const { at, height, hash, members } = message.offer
      return [[message.term, at.index, at.term, Number(height), ...members], [hash]]
    }
    case 'hand-over':
      break
  }
  return [[message.term], []]
}

/** Undefined for what `encodeMessage` does not write in a network of so many members. */
export function decodeMessage(bytes: Uint8Array, members: number): Message | undefined {
  const packed = unpack(bytes)
  if (!packed) return undefined
  const [number = -1, term, ...rest] = packed.numbers
  const kind = KINDS[number]
  if (kind === undefined || term === undefined) return undefined
  if (kind === 'forward') return rest.length === 0 ? { kind, delivered: term, requests: packed.strings.map(toRequest) } : undefined
  if (kind === 'append') return readAppend(term, rest, packed.strings)
  if (kind === 'offer') return readOffer(term, rest, packed.strings, members)
  return packed.strings.length === 0 ? readSmall(kind, term, rest) : undefined
}

function readSmall(kind: 'campaign' | 'vote' | 'appended' | 'hand-over', term: number, numbers: readonly number[]): Message | undefined {
  const [a = 0, b = 0, c = 0, d = 0] = numbers
  if (numbers.length !== { campaign: 4, vote: 2, appended: 4, 'hand-over': 0 }[kind]) return undefined
  switch (kind) {
    case 'campaign':
      return { kind, term, isPre: a !== 0, isHandOver: b !== 0, last: { index: c, term: d } }
    case 'vote':
      return { kind, term, isPre: a !== 0, isYes: b !== 0 }
    case 'appended':
      return { kind, term, isOk: a !== 0, before: b, index: c, delivered: d }
    case 'hand-over':
      break
  }
  return { kind, term }
}

function readAppend(term: number, [index, beforeTerm, commit, ...terms]: readonly number[], bodies: Packed['strings']): Message | undefined {
  if (index === undefined || beforeTerm === undefined || commit === undefined || terms.length !== bodies.length) return undefined
  const isInOrder = [beforeTerm, ...terms].every((own, place) => own <= (terms[place] ?? term))
  // Copies: what is kept does not keep the message, of which it is a part.
  const entries = bodies.flatMap((body, place) => entryOf(terms[place] ?? 0, new Uint8Array(body)) ?? [])
  return isInOrder && entries.length === bodies.length ? { kind: 'append', term, before: { index, term: beforeTerm }, commit, entries } : undefined
}

function readOffer(term: number, numbers: readonly number[], [hash, ...more]: Packed['strings'], count: number): Message | undefined {
  const [index, atTerm, height, ...members] = numbers
  if (index === undefined || atTerm === undefined || height === undefined || hash === undefined) return undefined
  const isGood = more.length === 0 && hash.length <= MAX_HASH_LENGTH && members.every((member) => member < count)
  return isGood ? { kind: 'offer', term, offer: { at: { index, term: atTerm }, height: BigInt(height), hash: new Uint8Array(hash), members } } : undefined
}

/** Undefined if the body is none. */
export function entryOf(term: number, body: Uint8Array): Entry | undefined {
  if (body.length === 0) return { term, body, requests: [] }
  const packed = unpack(body)
  return packed && packed.numbers.length === 0 ? { term, body, requests: packed.strings.map(toRequest) } : undefined
}

/** The entry of these requests. */
export function entryFor(term: number, requests: readonly EngineRequest[], endsBatch: boolean): Entry {
  const bytes = requests.map((request) => request.bytes)
  return { term, requests, endsBatch, body: bytes.length === 0 ? new Uint8Array() : pack([], bytes) }
}

function toRequest(bytes: Uint8Array): EngineRequest {
  return { id: requestId(bytes), bytes }
}
