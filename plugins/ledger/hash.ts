import { createHash } from 'node:crypto'

/** Length of every ledger hash in bytes. */
export const HASH_LENGTH = 64

const MAX_JOINED_PIECES = 32
const OPTIONS = Object.freeze({ outputLength: HASH_LENGTH })

/** `H(b)`: SHAKE256 with 64 bytes of output, of the concatenation of the pieces (spec/ledger.md §1). */
export function ledgerHash(...pieces: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('shake256', OPTIONS)
  // One call into OpenSSL costs more than copying a few child hashes together.
  if (pieces.length > 1 && pieces.length <= MAX_JOINED_PIECES) hash.update(Buffer.concat(pieces))
  else for (const piece of pieces) hash.update(piece)
  const digest = hash.digest()
  // Plain, as everything that was decoded from a message is: a Buffer compares unequal to it in tests and its slice() does not copy.
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength)
}
