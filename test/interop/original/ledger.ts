import { createHash } from 'node:crypto'
import { Block, BlockchainInfo, type ChaincodeEvent, decode, encode, type NonHashData, Transaction } from '../../../proto/index.js'

/** SHAKE256 with 64 bytes (spec/ledger.md §1). */
export const H = (bytes: Uint8Array): Buffer => createHash('shake256', { outputLength: 64 }).update(bytes).digest()

/** Chaincode and key, then the new and the former value; undefined is nil. */
export interface Change {
  readonly chaincode: string
  readonly key: string
  readonly value: Buffer | undefined
  readonly previous: Buffer | undefined
}

const NOTHING = new Uint8Array(0)
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

function varint(n: number): Buffer {
  const bytes: number[] = []
  for (; n >= 0x80; n = Math.floor(n / 128)) bytes.push((n % 128) | 0x80)
  return Buffer.from([...bytes, n])
}
const lp = (bytes: Uint8Array): Buffer => Buffer.concat([varint(bytes.length), bytes])
const opt = (value: Buffer | undefined): Buffer => (value === undefined ? varint(0) : Buffer.concat([varint(1), lp(value)]))

/** §6.3, in the order of a map. */
export function encodeChanges(changes: readonly Change[]): Buffer {
  const byChaincode = new Map<string, Change[]>()
  for (const change of changes) byChaincode.set(change.chaincode, [...(byChaincode.get(change.chaincode) ?? []), change])
  const parts = [...byChaincode].map(([chaincode, entries]) =>
    Buffer.concat([
      lp(latin1(chaincode)),
      varint(entries.length),
      ...entries.map(({ key, value, previous }) => Buffer.concat([lp(latin1(key)), opt(value), opt(previous)])),
    ]),
  )
  return Buffer.concat([varint(byChaincode.size), ...parts])
}

/** Throws on what is cut short. */
export function decodeChanges(bytes: Uint8Array): Change[] {
  let at = 0
  const number = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) throw new Error('a delta is cut short')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  const raw = (): Buffer => {
    const length = number()
    if (at + length > bytes.length) throw new Error('a delta is cut short')
    at += length
    return Buffer.from(bytes.subarray(at - length, at))
  }
  const changes: Change[] = []
  for (let chaincodes = number(); chaincodes > 0; chaincodes--) {
    const chaincode = raw().toString('latin1')
    for (let keys = number(); keys > 0; keys--) {
      const key = raw().toString('latin1')
      const value = number() === 0 ? undefined : raw()
      changes.push({ chaincode, key, value, previous: number() === 0 ? undefined : raw() })
    }
  }
  return changes
}

function fnv1a(bytes: Uint8Array): number {
  let hash = 2166136261
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619)
  return hash >>> 0
}

/** Composite keys (latin1) to values. */
export type State = ReadonlyMap<string, Buffer>

/** The bucket tree (§7), computed anew from all that there is. */
export function stateHashOf(state: State, buckets: number, grouping: number): Buffer | undefined {
  const lowest = new Map<number, string[]>()
  for (const composite of state.keys()) {
    const bucket = (fnv1a(latin1(composite)) % buckets) + 1
    lowest.set(bucket, [...(lowest.get(bucket) ?? []), composite])
  }
  let level = new Map<number, Buffer>()
  for (const [bucket, keys] of lowest) level.set(bucket, H(bucketContent(keys.sort(), state)))
  for (let size = buckets; size > 1; size = Math.ceil(size / grouping)) {
    const children = new Map<number, Buffer[]>()
    for (const [bucket, hash] of [...level].sort(([a], [b]) => a - b)) {
      const parent = Math.ceil(bucket / grouping)
      children.set(parent, [...(children.get(parent) ?? []), hash])
    }
    level = new Map([...children].map(([parent, hashes]) => [parent, hashes.length === 1 ? (hashes[0] ?? H(NOTHING)) : H(Buffer.concat(hashes))]))
  }
  return level.get(1)
}

function bucketContent(keys: readonly string[], state: State): Buffer {
  const groups = new Map<string, Buffer[]>()
  for (const composite of keys) {
    const zero = composite.indexOf('\0')
    const entry = Buffer.concat([lp(latin1(composite.slice(zero + 1))), lp(state.get(composite) ?? NOTHING)])
    groups.set(composite.slice(0, zero), [...(groups.get(composite.slice(0, zero)) ?? []), entry])
  }
  return Buffer.concat([...groups].map(([chaincode, entries]) => Buffer.concat([lp(latin1(chaincode)), varint(entries.length), ...entries])))
}

export interface LedgerShape {
  readonly buckets: number
  readonly grouping: number
  readonly deltaHistory: number
}

/** Chain and world state of an original: survives its restarts (§3, §6, §10). */
export class OriginalLedger {
  readonly blocks: (Uint8Array | undefined)[] = []
  readonly deltas = new Map<number, Buffer>()
  state = new Map<string, Buffer>()

  constructor(
    readonly shape: LedgerShape,
    private readonly time: () => NonNullable<NonHashData['localLedgerCommitTimestamp']>,
  ) {
    this.commit([], [], undefined, [])
  }

  get height(): number {
    return this.blocks.length
  }

  stateHash(): Buffer | undefined {
    return stateHashOf(this.state, this.shape.buckets, this.shape.grouping)
  }

  info(): BlockchainInfo {
    const head = this.blocks.at(-1)
    const { previousBlockHash = NOTHING } = head ? decode(Block, head) : {}
    return { height: BigInt(this.height), currentBlockHash: head ? blockHashOf(head) : NOTHING, previousBlockHash }
  }

  blob(): Uint8Array {
    return encode(BlockchainInfo, this.info())
  }

  /** What PBFT wrote into the head block; empty for none. */
  headMetadata(): Uint8Array {
    const head = this.blocks.at(-1)
    return head ? decode(Block, head).consensusMetadata : NOTHING
  }

  /** `commitTxBatch`: the transactions that succeeded, one event for every executed one. */
  commit(transactions: readonly Uint8Array[], events: readonly ChaincodeEvent[], metadata: Uint8Array | undefined, changes: readonly Change[]): void {
    this.apply(changes)
    const number = this.height
    const previousBlockHash = number === 0 ? NOTHING : this.info().currentBlockHash
    const block: Block = {
      version: 0,
      timestamp: undefined,
      transactions: transactions.map((bytes) => decode(Transaction, bytes)),
      stateHash: this.stateHash() ?? NOTHING,
      previousBlockHash,
      consensusMetadata: metadata ?? NOTHING,
      nonHashData: { localLedgerCommitTimestamp: this.time(), chaincodeEvents: [...events] },
    }
    this.blocks.push(encode(Block, block))
    this.deltas.set(number, encodeChanges(changes))
    if (number >= this.shape.deltaHistory) this.deltas.delete(number - this.shape.deltaHistory)
  }

  apply(changes: readonly Change[]): void {
    for (const { chaincode, key, value } of changes) {
      if (value === undefined) this.state.delete(`${chaincode}\0${key}`)
      else this.state.set(`${chaincode}\0${key}`, value)
    }
  }

  /** §3.3: no check of any kind. */
  putRaw(number: number, block: Uint8Array): void {
    while (this.blocks.length <= number) this.blocks.push(undefined)
    this.blocks[number] = block
  }

  block(number: number): Uint8Array | undefined {
    return this.blocks[number]
  }
}

/** Over a re-encoding without nonHashData (§3.1). */
export function blockHashOf(bytes: Uint8Array): Buffer {
  return H(encode(Block, { ...decode(Block, bytes), nonHashData: undefined }))
}
