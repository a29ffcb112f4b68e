import { Buffer } from 'node:buffer'
import { decode, encode, encodeWithin } from './codec.js'
import { batchMessage, message, type newView_XsetEntry, PQset, type request, type viewChange_PQ } from './gen/pbft.js'
import { Cursor } from './cursor.js'
import * as usual from './pbft-votes.js'
import { WireError } from './wire-error.js'

const PBFT_MESSAGE = 3
const PBFT_MESSAGE_TAG = (PBFT_MESSAGE << 3) | 2

export {
  batchMessage as BatchMessage,
  blockInfo as BlockInfo,
  checkpoint as Checkpoint,
  commit as Commit,
  fetchRequestBatch as FetchRequestBatch,
  message as Message,
  metadata as Metadata,
  newView as NewView,
  newView_XsetEntry as XsetEntry,
  PQset,
  prepare as Prepare,
  prePrepare as PrePrepare,
  request as Request,
  requestBatch as RequestBatch,
  viewChange as ViewChange,
  viewChange_C as ViewChangeC,
  viewChange_PQ as ViewChangePQ,
} from './gen/pbft.js'

/** The entries of a new view's xset, in ascending order of sequence number so that all replicas write the same bytes; v0.6 writes them in random order (spec/wire.md §2.9). */
export function xsetEntries(xset: ReadonlyMap<bigint, string>): newView_XsetEntry[] {
  return [...xset].sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, value]) => ({ key, value }))
}

/** The xset of a new view: sequence number to batch digest, "" for a null request. A missing key is 0, a missing value "", the last of equal keys wins. */
export function xsetMap(entries: readonly newView_XsetEntry[]): Map<bigint, string> {
  return new Map(entries.map(({ key = 0n, value = '' }) => [key, value]))
}

/** A message of the protocol, as `message` carries it. */
export type Payload = NonNullable<message['payload']>

/** What a CONSENSUS message tells: a request that is announced, or a message of the protocol. */
export type Incoming = { readonly $case: 'request'; readonly value: request } | Payload

/** The bytes of a protocol message in its BatchMessage (spec/consensus.md §3.4). */
export function encodePayload(payload: Payload): Uint8Array {
  const vote = payload.$case === 'prepare' || payload.$case === 'commit' ? usual.encodeVote(payload) : undefined
  return vote ?? encodeWithin(PBFT_MESSAGE, message, { payload })
}

/** Writes a P or Q set (§11.1) that is stored again and again, and mostly has grown at its end since: messages merge by concatenation, so that what was written is copied. */
export function createPQsetWriter(): (set: readonly viewChange_PQ[]) => Uint8Array {
  let before: readonly viewChange_PQ[] = []
  let written: Uint8Array = new Uint8Array(0)
  return (set) => {
    const isGrown = before.every((entry, index) => isSamePQ(entry, set[index]))
    const kept = isGrown ? written : written.subarray(0, 0)
    const added = isGrown ? set.slice(before.length) : set
    before = set
    written = concatenated(kept, usual.encodePQset(added) ?? encode(PQset, { set: [...added] }))
    return written
  }
}

function isSamePQ(left: viewChange_PQ, right: viewChange_PQ | undefined): boolean {
  return left.sequenceNumber === right?.sequenceNumber && left.batchDigest === right.batchDigest && left.view === right.view
}

function concatenated(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right
  const both = Buffer.allocUnsafe(left.length + right.length)
  both.set(left)
  both.set(right, left.length)
  return both
}

/** The bytes of an announced request in its BatchMessage. */
export function encodeRequest(value: request): Uint8Array {
  return encode(batchMessage, { payload: { $case: 'request', value } })
}

/** Reads the payload of a CONSENSUS message; undefined for what v0.6 drops too: bytes that cannot be parsed, empty messages, other members (§5.5). */
export function decodeIncoming(bytes: Uint8Array): Incoming | undefined {
  const vote = usual.decodeVote(bytes)
  if (vote) return vote
  try {
    const inner = onlyPbftMessage(bytes)
    if (inner) return decode(message, inner).payload
    const { payload } = decode(batchMessage, bytes)
    if (payload?.$case === 'request') return payload
    return payload?.$case === 'pbftMessage' ? decode(message, payload.value).payload : undefined
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/** What a BatchMessage holds that is a message of the protocol and nothing else, as nearly all are: read without decoding it. Throws WireError. */
function onlyPbftMessage(bytes: Uint8Array): Uint8Array | undefined {
  const cursor = new Cursor(bytes)
  if (bytes[0] !== PBFT_MESSAGE_TAG) return undefined
  cursor.position = 1
  const end = cursor.lengthDelimitedEnd()
  return end === bytes.length ? bytes.subarray(cursor.position) : undefined
}
