import { messageOf, PeerError } from '../../../kernel/index.js'
import { decode, Transaction } from '../../../proto/index.js'
import type { Namespace, Store, StoreBatch } from '../../level/index.js'

/** The accepted requests on disk: namespace `journal`, key = 8-byte big-endian sequence number, value = transaction bytes. */
export interface Journal {
  /** All entries in the order of acceptance. Throws ERR_CONSENSUS_JOURNAL for a row that cannot have been written so. */
  load(): AsyncIterable<readonly [sequence: number, bytes: Uint8Array]>
  put(batch: StoreBatch, sequence: number, bytes: Uint8Array): void
  delete(batch: StoreBatch, sequence: number): void
}

const SEQUENCE_BYTES = 8
const TWO_POWER_32 = 0x1_0000_0000

export function createJournal(store: Store): Journal {
  const namespace: Namespace = store.namespace('journal')
  return {
    async *load() {
      for await (const [key, value] of namespace.entries()) {
        if (key.length !== SEQUENCE_BYTES) throw damaged(`a row with a key of ${key.length} bytes, expected ${SEQUENCE_BYTES}`)
        const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
        const sequence = view.getUint32(0) * TWO_POWER_32 + view.getUint32(4)
        requireTransaction(sequence, value)
        yield [sequence, value]
      }
    },
    put: (batch, sequence, bytes) => batch.put(namespace, keyOf(sequence), bytes),
    delete: (batch, sequence) => batch.delete(namespace, keyOf(sequence)),
  }
}

function requireTransaction(sequence: number, bytes: Uint8Array): void {
  try {
    decode(Transaction, bytes)
  } catch (cause) {
    throw damaged(`row ${sequence}, which is no transaction: ${messageOf(cause)}`)
  }
}

function damaged(found: string): PeerError {
  return new PeerError('ERR_CONSENSUS_JOURNAL', `the journal of accepted transactions is damaged: found ${found}`, {
    hint: 'the store has lost or changed data: put back a backup of the directory, and keep this one for a report',
  })
}

function keyOf(sequence: number): Uint8Array {
  const key = Buffer.allocUnsafe(8)
  key.writeUInt32BE(Math.floor(sequence / TWO_POWER_32), 0)
  key.writeUInt32BE(sequence % TWO_POWER_32, 4)
  return key
}
