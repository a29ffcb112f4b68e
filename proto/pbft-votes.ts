import { Buffer } from 'node:buffer'
import type { commit, prepare, viewChange_PQ } from './gen/pbft.js'
import { createRepeatedTextReader } from './short-text.js'
import { Slab } from './slab.js'

/*
 * Prepares, commits and the stored P and Q sets are most of what a replica writes and reads. This writes and reads their usual forms in one go, byte for byte as the
 * generated code does; whatever is not usual (large numbers, other fields, another order, text that is not ASCII) is `undefined` here and goes the general way.
 */

/** A prepare or a commit as it is in a message. */
export type Vote = { readonly $case: 'prepare'; readonly value: prepare } | { readonly $case: 'commit'; readonly value: commit }

/** Lengths up to here are one byte. */
const ONE_BYTE = 0x7f
const LARGEST = 0x0fffffff
const PBFT_MESSAGE = 0x1a // field 3 of BatchMessage
const PREPARE = 0x1a // fields 3 and 4 of message
const COMMIT = 0x22
const VIEW = 0x08
const SEQUENCE_NUMBER = 0x10
const BATCH_DIGEST = 0x1a
const REPLICA_ID = 0x20
const PQ_ENTRY = 0x0a
const PQ_SEQUENCE_NUMBER = 0x08
const PQ_DIGEST = 0x12
const PQ_VIEW = 0x18
const HEADER = 4
const digestIn = createRepeatedTextReader()
const slab = new Slab(8 * 1024)

/** A vote in its BatchMessage. */
export function encodeVote({ $case, value: { view, sequenceNumber, batchDigest, replicaId } }: Vote): Uint8Array | undefined {
  const body = sizeOf(view) + sizeOf(sequenceNumber) + textSize(batchDigest) + sizeOf(replicaId)
  if (!(body + 2 <= ONE_BYTE)) return undefined
  const bytes = slab.take(HEADER + body)
  bytes[0] = PBFT_MESSAGE
  bytes[1] = body + 2
  bytes[2] = $case === 'prepare' ? PREPARE : COMMIT
  bytes[3] = body
  const at = put(bytes, put(bytes, HEADER, VIEW, view), SEQUENCE_NUMBER, sequenceNumber)
  put(bytes, putText(bytes, at, BATCH_DIGEST, batchDigest), REPLICA_ID, replicaId)
  return bytes
}

/** The vote in a BatchMessage. */
export function decodeVote(bytes: Uint8Array): Vote | undefined {
  const body = bytes.length - HEADER
  const kind = bytes[2]
  const isVote = bytes[0] === PBFT_MESSAGE && bytes[1] === body + 2 && body + 2 <= ONE_BYTE && (kind === PREPARE || kind === COMMIT) && bytes[3] === body
  if (!isVote) return undefined
  const reader = new VoteReader(bytes)
  const view = reader.number(VIEW)
  const sequenceNumber = reader.number(SEQUENCE_NUMBER)
  const batchDigest = reader.text(BATCH_DIGEST)
  const replicaId = reader.number(REPLICA_ID)
  if (!reader.isUsual || reader.at !== bytes.length) return undefined
  const value = { view, sequenceNumber, batchDigest, replicaId }
  return { $case: kind === PREPARE ? 'prepare' : 'commit', value }
}

/** A stored P or Q set. */
export function encodePQset(set: readonly viewChange_PQ[]): Uint8Array | undefined {
  let size = 0
  for (const entry of set) {
    const body = entrySize(entry)
    if (!(body <= ONE_BYTE)) return undefined
    size += 2 + body
  }
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const entry of set) {
    bytes[at] = PQ_ENTRY
    bytes[at + 1] = entrySize(entry)
    at = put(bytes, at + 2, PQ_SEQUENCE_NUMBER, entry.sequenceNumber)
    at = put(bytes, putText(bytes, at, PQ_DIGEST, entry.batchDigest), PQ_VIEW, entry.view)
  }
  return bytes
}

function entrySize({ sequenceNumber, batchDigest, view }: viewChange_PQ): number {
  return sizeOf(sequenceNumber) + textSize(batchDigest) + sizeOf(view)
}

/** Of a field with its tag; NaN: it is not usual. */
function sizeOf(value: number): number {
  if (value === 0) return 0
  if (value < 0 || value > LARGEST) return Number.NaN
  return value < 0x80 ? 2 : value < 0x4000 ? 3 : value < 0x200000 ? 4 : 5
}

function textSize(text: string): number {
  if (text.length === 0) return 0
  return text.length <= ONE_BYTE && Buffer.byteLength(text) === text.length ? 2 + text.length : Number.NaN
}

function put(bytes: Buffer, from: number, tag: number, value: number): number {
  if (value === 0) return from
  bytes[from] = tag
  let at = from + 1
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80
  bytes[at++] = rest
  return at
}

function putText(bytes: Buffer, at: number, tag: number, text: string): number {
  if (text.length === 0) return at
  bytes[at] = tag
  bytes[at + 1] = text.length
  bytes.write(text, at + 2, 'latin1')
  return at + 2 + text.length
}

/** Reads the fields of a vote in their order; `isUsual` is false from the first that is not as the generated code writes it. */
class VoteReader {
  at = HEADER
  isUsual = true

  constructor(private readonly bytes: Uint8Array) {}

  number(tag: number): number {
    const { bytes } = this
    if (bytes[this.at] !== tag) return 0
    let value = 0
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = bytes[(this.at += 1)] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte >= 0x80) continue
      this.at += 1
      // Zero is left out, and so is a last group of zeros.
      if (byte === 0) this.isUsual = false
      return value
    }
    this.isUsual = false
    return 0
  }

  text(tag: number): string {
    const { bytes, at } = this
    if (bytes[at] !== tag) return ''
    const length = bytes[at + 1] ?? 0
    const end = at + 2 + length
    this.at = end
    if (length === 0 || length > ONE_BYTE || end > bytes.length) {
      this.isUsual = false
      return ''
    }
    const text = digestIn(bytes, at + 2, end)
    if (text === undefined) this.isUsual = false
    return text ?? ''
  }
}
