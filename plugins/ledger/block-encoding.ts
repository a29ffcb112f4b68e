import { Buffer } from 'node:buffer'
import type { Moment } from '../../kernel/index.js'
import { ChaincodeEvent, Timestamp, encode } from '../../proto/index.js'
import { ledgerHash } from './hash.js'
import type { ExecutedTransaction } from './ledger.js'
import { prefixedLength, writePrefixed } from './varint.js'

/** What a new block holds besides its transactions; absent values leave no trace in the bytes (spec/ledger.md §3.2). */
export interface BlockContents {
  readonly executed: readonly ExecutedTransaction[]
  readonly stateHash: Uint8Array | undefined
  readonly previousBlockHash: Uint8Array | undefined
  readonly metadata: Uint8Array | undefined
}

/** A block as stored, and its hash. */
export interface EncodedBlock {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
}

// Tags of the fields of Block and NonHashData: all are length-delimited.
const TRANSACTIONS = 0x1a
const STATE_HASH = 0x22
const PREVIOUS_BLOCK_HASH = 0x2a
const CONSENSUS_METADATA = 0x32
const NON_HASH_DATA = 0x3a
const COMMIT_TIMESTAMP = 0x0a
const CHAINCODE_EVENTS = 0x12

type Field = readonly [tag: number, content: Uint8Array]

const NO_EVENT = new Uint8Array(0)

/**
 * Serialises a block around its transactions, whose canonical bytes are copied once, and hashes the part before nonHashData
 * (spec/ledger.md §3.1). Failed transactions are left out; each executed one has an event, if only an empty one (§11.3, §11.4).
 */
export function buildBlock(contents: BlockContents, committedAt: Moment): EncodedBlock {
  const hashed = hashedFields(contents)
  const hashedLength = fieldsLength(hashed)
  const nonHashData = encodeNonHashData(contents.executed, committedAt)
  const bytes = Buffer.allocUnsafe(hashedLength + fieldsLength([[NON_HASH_DATA, nonHashData]]))
  writeFields(bytes, hashed, 0)
  writeFields(bytes, [[NON_HASH_DATA, nonHashData]], hashedLength)
  return { bytes, hash: ledgerHash(bytes.subarray(0, hashedLength)) }
}

/** The hash that {@link buildBlock} would give. */
export function previewBlockHash(contents: BlockContents): Uint8Array {
  const hashed = hashedFields(contents)
  const bytes = Buffer.allocUnsafe(fieldsLength(hashed))
  writeFields(bytes, hashed, 0)
  return ledgerHash(bytes)
}

function hashedFields({ executed, stateHash, previousBlockHash, metadata }: BlockContents): Field[] {
  const fields: Field[] = []
  for (const { bytes, result } of executed) if (result.error === undefined) fields.push([TRANSACTIONS, bytes])
  if (stateHash?.length) fields.push([STATE_HASH, stateHash])
  if (previousBlockHash?.length) fields.push([PREVIOUS_BLOCK_HASH, previousBlockHash])
  if (metadata?.length) fields.push([CONSENSUS_METADATA, metadata])
  return fields
}

function encodeNonHashData(executed: readonly ExecutedTransaction[], { seconds, nanos }: Moment): Uint8Array {
  const fields: Field[] = [[COMMIT_TIMESTAMP, encode(Timestamp, { seconds, nanos })]]
  for (const { result } of executed) fields.push([CHAINCODE_EVENTS, result.event ? encode(ChaincodeEvent, result.event) : NO_EVENT])
  const bytes = Buffer.allocUnsafe(fieldsLength(fields))
  writeFields(bytes, fields, 0)
  return bytes
}

function fieldsLength(fields: readonly Field[]): number {
  let length = 0
  for (const [, content] of fields) length += 1 + prefixedLength(content.length)
  return length
}

function writeFields(target: Uint8Array, fields: readonly Field[], offset: number): void {
  let at = offset
  for (const [tag, content] of fields) {
    target[at] = tag
    at = writePrefixed(target, content, at + 1)
  }
}
