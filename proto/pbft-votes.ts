import { Cursor } from './cursor.js'
import type { commit, prepare } from './gen/pbft.js'

/** A prepare or a commit: nine of ten messages of the protocol. */
export type Vote = { readonly $case: 'prepare'; readonly value: prepare } | { readonly $case: 'commit'; readonly value: commit }

const PREPARE_TAG = (3 << 3) | 2
const COMMIT_TAG = (4 << 3) | 2
const VIEW_TAG = 1 << 3
const NUMBER_TAG = 2 << 3
const DIGEST_TAG = (3 << 3) | 2
const REPLICA_TAG = 4 << 3

/**
 * Reads a `pbft.message` that is a vote in one pass, without checking its form first: at most one of each field, in their order, and plain text. Undefined for anything else,
 * which is not to say that it is wrong. Throws WireError where it ends too early.
 */
export function readVote(bytes: Uint8Array): Vote | undefined {
  const [kind] = bytes
  if (kind !== PREPARE_TAG && kind !== COMMIT_TAG) return undefined
  const cursor = new Cursor(bytes)
  cursor.position = 1
  if (cursor.lengthDelimitedEnd() !== bytes.length) return undefined
  const view = numberAt(cursor, VIEW_TAG)
  const sequenceNumber = numberAt(cursor, NUMBER_TAG)
  const batchDigest = textAt(cursor, DIGEST_TAG)
  const replicaId = numberAt(cursor, REPLICA_TAG)
  if (batchDigest === undefined || cursor.position !== bytes.length) return undefined
  const value = { view, sequenceNumber, batchDigest, replicaId }
  return kind === PREPARE_TAG ? { $case: 'prepare', value } : { $case: 'commit', value }
}

/** Zero if the field is not there. */
function numberAt(cursor: Cursor, tag: number): bigint {
  if (cursor.bytes[cursor.position] !== tag) return 0n
  cursor.position++
  cursor.varint()
  return cursor.high === 0 ? BigInt(cursor.low) : (BigInt(cursor.high) << 32n) | BigInt(cursor.low)
}

/** Empty if the field is not there; undefined if it is no ASCII. */
function textAt(cursor: Cursor, tag: number): string | undefined {
  const { bytes } = cursor
  if (bytes[cursor.position] !== tag) return ''
  cursor.position++
  const end = cursor.lengthDelimitedEnd()
  const from = cursor.position
  for (let at = from; at < end; at++) if ((bytes[at] ?? 0) >= 0x80) return undefined
  cursor.position = end
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('latin1')
}
