import type { Namespace, Store, StoreBatch } from '../level/index.js'

/** The accepted requests on disk: namespace `journal`, key = 8-byte big-endian sequence number, value = transaction bytes. */
export interface Journal {
  /** All entries in the order of acceptance. */
  load(): AsyncIterable<readonly [sequence: number, bytes: Uint8Array]>
  put(batch: StoreBatch, sequence: number, bytes: Uint8Array): void
  delete(batch: StoreBatch, sequence: number): void
}

const TWO_POWER_32 = 0x1_0000_0000

export function createJournal(store: Store): Journal {
  const namespace: Namespace = store.namespace('journal')
  return {
    async *load() {
      for await (const [key, value] of namespace.entries()) {
        const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
        yield [view.getUint32(0) * TWO_POWER_32 + view.getUint32(4), value]
      }
    },
    put: (batch, sequence, bytes) => batch.put(namespace, keyOf(sequence), bytes),
    delete: (batch, sequence) => batch.delete(namespace, keyOf(sequence)),
  }
}

function keyOf(sequence: number): Uint8Array {
  const key = Buffer.allocUnsafe(8)
  key.writeUInt32BE(Math.floor(sequence / TWO_POWER_32), 0)
  key.writeUInt32BE(sequence % TWO_POWER_32, 4)
  return key
}
