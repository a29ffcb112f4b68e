import { Buffer } from 'node:buffer'
import type { Store, StoreBatch } from '../../level/index.js'
import type { EngineRecord } from './effects.js'
import { misuse } from './misuse.js'

const EPOCH_RECORDS = 0x65 // 'e', before the 8-byte epoch: other first bytes are the host's own
const BEING_CLEARED = 0x63 // 'c', before the 8-byte epoch: its records are being forgotten, and those that are left mean nothing
const PREFIX_LENGTH = 9
const MAX_KEY_LENGTH = 512
const NOT_PRINTABLE = /[^\x20-\x7e]/

/** Checks a record's key: printable ASCII, so that key and bytes map one to one. Returns it. */
export function checkRecordKey(key: string): string {
  if (key.length === 0 || key.length > MAX_KEY_LENGTH) misuse(`the key of an engine's record has 1 to ${MAX_KEY_LENGTH} characters; found ${key.length}`)
  if (NOT_PRINTABLE.test(key)) misuse(`the key of an engine's record is printable ASCII; found ${JSON.stringify(key)}`)
  return key
}

/** The records of the engine of one epoch: namespace `consensus`, every key under the epoch's prefix. */
export interface EngineRecords {
  /** Everything that was put and not deleted. */
  load(): Promise<ReadonlyMap<string, Uint8Array>>
  /** Resolves when everything that was committed earlier can be loaded. */
  written(): Promise<void>
  /** Adds changes to a batch. */
  write(batch: StoreBatch, record: EngineRecord): void
  /** Forgets everything: nobody needs the engine of this epoch any more. */
  clear(): Promise<void>
}

/** Epochs of which there are records. */
export async function epochsWithRecords(store: Store): Promise<readonly bigint[]> {
  const namespace = store.namespace('consensus')
  const found: bigint[] = []
  for (let next = Buffer.of(EPOCH_RECORDS); ; ) {
    let epoch: bigint | undefined
    for await (const [key] of namespace.entries({ gte: next, lt: Buffer.of(EPOCH_RECORDS + 1), limit: 1 })) {
      epoch = Buffer.from(key.buffer, key.byteOffset, key.length).readBigUInt64BE(1)
    }
    if (epoch === undefined) return found
    found.push(epoch)
    next = prefixOf(epoch + 1n)
  }
}

function prefixOf(epoch: bigint): Buffer<ArrayBuffer> {
  const prefix = Buffer.alloc(PREFIX_LENGTH)
  prefix[0] = EPOCH_RECORDS
  prefix.writeBigUInt64BE(epoch, 1)
  return prefix
}

const CLEARED_AT_A_TIME = 1000

export function createEngineRecords(store: Store, epoch: bigint): EngineRecords {
  const namespace = store.namespace('consensus')
  const prefix = prefixOf(epoch)
  const afterPrefix = Buffer.concat([prefix, Buffer.of(0x7f)])
  const mark = Buffer.concat([Buffer.of(BEING_CLEARED), prefix.subarray(1)])
  const storedKey = (key: string): Uint8Array => {
    const bytes = Buffer.allocUnsafe(PREFIX_LENGTH + key.length)
    prefix.copy(bytes)
    bytes.write(key, PREFIX_LENGTH, 'latin1')
    return bytes
  }
  const clear = async (): Promise<void> => {
    let isMarked = namespace.get(mark) !== undefined
    let batch = store.batch()
    for await (const [key] of namespace.entries({ gt: prefix, lt: afterPrefix })) {
      batch.delete(namespace, key)
      if (batch.size < CLEARED_AT_A_TIME) continue
      // A power cut now must not leave half of what the engine relied on.
      if (!isMarked) batch.put(namespace, mark, new Uint8Array(1))
      isMarked = true
      await store.commit(batch, 'record')
      batch = store.batch()
    }
    if (isMarked) batch.delete(namespace, mark)
    if (batch.size > 0) await store.commit(batch, 'record')
  }
  return {
    async load() {
      if (namespace.get(mark) !== undefined) await clear()
      const records = new Map<string, Uint8Array>()
      for await (const [key, value] of namespace.entries({ gt: prefix, lt: afterPrefix })) {
        records.set(Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1', PREFIX_LENGTH), value)
      }
      return records
    },
    written: () => store.commit(store.batch(), 'record'),
    write(batch, [key, value]) {
      if (value === undefined) batch.delete(namespace, storedKey(key))
      else batch.put(namespace, storedKey(key), value)
    },
    clear,
  }
}
