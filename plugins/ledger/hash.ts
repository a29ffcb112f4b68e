import { shake256 } from '../../proto/index.js'

/** Length of every ledger hash in bytes. */
export const HASH_LENGTH = 64

/** `H(b)`: SHAKE256 with 64 bytes of output, of the concatenation of the pieces (spec/ledger.md §1). */
export function ledgerHash(...pieces: readonly Uint8Array[]): Uint8Array {
  return shake256(HASH_LENGTH, ...pieces)
}
