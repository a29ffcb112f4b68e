import { Buffer } from 'node:buffer'
import { decode, encode, encodeWithin } from './codec.js'
import { batchMessage, message, type newView_XsetEntry, PQset, type request, type viewChange_PQ } from './gen/pbft.js'
import { Cursor } from './cursor.js'
import * as usual from './pbft-votes.js'
import { orUndefined } from './wire-error.js'

const PBFT_MESSAGE = 3
const PBFT_MESSAGE_TAG = (PBFT_MESSAGE << 3) | 2
/** For a P or Q set that has begun, in bytes. */
const LEAST_ROOM = 512

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
export function xsetEntries(xset: ReadonlyMap<number, string>): newView_XsetEntry[] {
  return [...xset].sort(([left], [right]) => left - right).map(([n, value]) => ({ key: BigInt(n), value }))
}

/** The xset of a new view: sequence number to batch digest, "" for a null request. A missing key is 0, a missing value "", the last of equal keys wins. */
export function xsetMap(entries: readonly newView_XsetEntry[]): Map<number, string> {
  return new Map(entries.map(({ key = 0n, value = '' }) => [Number(key), value]))
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
  let memory = Buffer.alloc(0)
  let written = 0
  return (set) => {
    const isGrown = isStartOf(set, before)
    const added = isGrown ? set.slice(before.length) : set
    const bytes = usual.encodePQset(added) ?? encode(PQset, { set: [...added] })
    before = set
    const kept = isGrown ? written : 0
    written = kept + bytes.length
    // What was written before stays as it is: more is put behind it, or all somewhere else.
    if (kept === 0 || written > memory.length) {
      const larger = Buffer.allocUnsafe(Math.max(LEAST_ROOM, 2 * written))
      larger.set(memory.subarray(0, kept))
      memory = larger
    }
    memory.set(bytes, kept)
    return memory.subarray(0, written)
  }
}

function isStartOf(set: readonly viewChange_PQ[], start: readonly viewChange_PQ[]): boolean {
  for (let index = 0; index < start.length; index++) if (start[index] !== set[index] && !isSamePQ(start[index], set[index])) return false
  return true
}

function isSamePQ(left: viewChange_PQ | undefined, right: viewChange_PQ | undefined): boolean {
  return left?.sequenceNumber === right?.sequenceNumber && left?.batchDigest === right?.batchDigest && left?.view === right?.view
}

/** The bytes of an announced request in its BatchMessage. */
export function encodeRequest(value: request): Uint8Array {
  return encode(batchMessage, { payload: { $case: 'request', value } })
}

/** Reads the payload of a CONSENSUS message; undefined for what v0.6 drops too: bytes that cannot be parsed, empty messages, other members (§5.5). */
export function decodeIncoming(bytes: Uint8Array): Incoming | undefined {
  return usual.decodeVote(bytes) ?? decodeOther(bytes)
}

/** Apart: a function within the other one would be made for every vote, too. */
function decodeOther(bytes: Uint8Array): Incoming | undefined {
  return orUndefined(() => readOther(bytes))
}

/** Throws WireError. */
function readOther(bytes: Uint8Array): Incoming | undefined {
  const inner = onlyPbftMessage(bytes)
  if (inner) return decode(message, inner).payload
  const { payload } = decode(batchMessage, bytes)
  if (payload?.$case === 'request') return payload
  return payload?.$case === 'pbftMessage' ? decode(message, payload.value).payload : undefined
}

/** What a BatchMessage holds that is a message of the protocol and nothing else, as nearly all are: read without decoding it. Throws WireError. */
function onlyPbftMessage(bytes: Uint8Array): Uint8Array | undefined {
  const cursor = new Cursor(bytes)
  if (bytes[0] !== PBFT_MESSAGE_TAG) return undefined
  cursor.position = 1
  const end = cursor.lengthDelimitedEnd()
  return end === bytes.length ? bytes.subarray(cursor.position) : undefined
}
