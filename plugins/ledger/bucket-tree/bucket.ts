import { Buffer } from 'node:buffer'
import { compareBytes } from '../bytes.js'
import { ledgerHash } from '../hash.js'
import { prefixedLength, varintLength, writePrefixed, writeVarint } from '../varint.js'

/** A present key-value of a bucket. */
export interface BucketEntry {
  readonly composite: Uint8Array
  /** Length of the chaincode id, after which the 00 byte stands. */
  readonly chaincodeLength: number
  readonly value: Uint8Array
}

/** What a key of a bucket becomes; no value: deleted. */
export interface BucketUpdate {
  readonly composite: Uint8Array
  readonly chaincodeLength: number
  readonly value: Uint8Array | undefined
}

/** The key-values of one bucket, ascending by composite key. */
export type Bucket = readonly BucketEntry[]

/** Rows that change when updates are merged into a bucket. */
export interface BucketMerge {
  readonly bucket: Bucket
  /** Keys whose value is put, with whether they are new. */
  readonly puts: readonly { readonly entry: BucketEntry; readonly isNew: boolean }[]
  /** Keys that were present and no longer are. */
  readonly removed: readonly Uint8Array[]
}

/** Merges updates into a bucket: an update wins over what is stored, a deletion drops it (spec/ledger.md §7.5). Sorts `updates`. */
export function mergeBucket(stored: Bucket, updates: BucketUpdate[]): BucketMerge {
  if (updates.length > 1) updates.sort((a, b) => compareBytes(a.composite, b.composite))
  const bucket: BucketEntry[] = []
  const puts: { entry: BucketEntry; isNew: boolean }[] = []
  const removed: Uint8Array[] = []
  let next = 0
  for (const update of updates) {
    let order = -1
    for (let entry = stored[next]; entry; entry = stored[next]) {
      order = compareBytes(entry.composite, update.composite)
      if (order >= 0) break
      bucket.push(entry)
      next += 1
    }
    const isNew = next >= stored.length || order !== 0
    if (!isNew) next += 1
    const { composite, chaincodeLength, value } = update
    if (value !== undefined) {
      const entry = { composite, chaincodeLength, value }
      bucket.push(entry)
      puts.push({ entry, isNew })
    } else if (!isNew) removed.push(composite)
  }
  for (; next < stored.length; next += 1) {
    const entry = stored[next]
    if (entry) bucket.push(entry)
  }
  return { bucket, puts, removed }
}

/** The bytes that are hashed for a bucket: its keys and values grouped by chaincode (spec/ledger.md §7.3). */
export function bucketContent(bucket: Bucket): Uint8Array {
  const groups = groupRuns(bucket)
  let length = 0
  for (const group of groups) length += groupLength(group)
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const group of groups) {
    at = writePrefixed(bytes, chaincodeOf(group), at)
    at = writeVarint(bytes, group.length, at)
    for (const { composite, chaincodeLength, value } of group) {
      at = writePrefixed(bytes, composite.subarray(chaincodeLength + 1), at)
      at = writePrefixed(bytes, value, at)
    }
  }
  return bytes
}

/** Hash of a bucket; `undefined` if its content is empty (spec/ledger.md §7.3). */
export function bucketHash(bucket: Bucket): Uint8Array | undefined {
  const content = bucketContent(bucket)
  return content.length === 0 ? undefined : ledgerHash(content)
}

/** Runs of equal chaincode ids. An empty chaincode id contributes nothing, as in v0.6 (spec/ledger.md §7.3). */
function groupRuns(bucket: Bucket): BucketEntry[][] {
  const groups: BucketEntry[][] = []
  let run: BucketEntry[] = []
  for (const entry of bucket) {
    if (entry.chaincodeLength === 0) continue
    const first = run[0]
    if (first && first.chaincodeLength === entry.chaincodeLength && compareBytes(chaincodeOf(run), chaincodeOf([entry])) === 0) {
      run.push(entry)
      continue
    }
    run = [entry]
    groups.push(run)
  }
  return groups
}

function chaincodeOf(group: readonly BucketEntry[]): Uint8Array {
  const first = group[0]
  return first ? first.composite.subarray(0, first.chaincodeLength) : new Uint8Array(0)
}

function groupLength(group: readonly BucketEntry[]): number {
  let length = prefixedLength(group[0]?.chaincodeLength ?? 0) + varintLength(group.length)
  for (const { composite, chaincodeLength, value } of group) length += prefixedLength(composite.length - chaincodeLength - 1) + prefixedLength(value.length)
  return length
}
