import { splitCompositeKey } from '../encodings.js'
import { StateDelta } from '../state-delta.js'
import { ByteReader } from '../varint.js'
import { badArchive } from './errors.js'

/** A trie has a node, with its whole prefix as its key, for every byte of a key: such a key takes 32 MiB. */
const MAX_TRIE_KEY_BYTES = 8192

/** The key-values of one state record. */
export interface StatePiece {
  readonly delta: StateDelta
  readonly composites: readonly Uint8Array[]
  readonly bytes: number
}

/** Reads a state record: `(lp(compositeKey) lp(value))*`. Keys and values are views of it. Throws ERR_ARCHIVE. */
export function readStatePiece(payload: Uint8Array, isTrie: boolean): StatePiece {
  const reader = new ByteReader(payload, (what) => badArchive(`a record of its state ${what}`))
  const delta = new StateDelta()
  const composites: Uint8Array[] = []
  while (!reader.done) {
    const composite = reader.prefixed()
    const value = reader.prefixed()
    if (!composite.includes(0)) throw badArchive(`a key of its state does not name a chaincode`)
    if (isTrie && composite.length > MAX_TRIE_KEY_BYTES)
      throw badArchive(`a key of its state has ${composite.length} bytes; at most ${MAX_TRIE_KEY_BYTES} fit a trie`)
    const { chaincode, key } = splitCompositeKey(composite)
    delta.set(chaincode, key, value, undefined)
    composites.push(composite)
  }
  return { delta, composites, bytes: payload.length }
}
