import { createHash } from 'node:crypto'

/** Length of every ledger hash in bytes. */
export const HASH_LENGTH = 64

const OPTIONS = Object.freeze({ outputLength: HASH_LENGTH })

/** `H(b)`: SHAKE256 with 64 bytes of output, of the concatenation of the pieces (spec/ledger.md §1). */
export function ledgerHash(...pieces: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('shake256', OPTIONS)
  for (const piece of pieces) hash.update(piece)
  const digest = hash.digest()
  // Plain, as everything that was decoded from a message is: a Buffer compares unequal to it in tests and its slice() does not copy.
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength)
}
