import { createHash } from 'node:crypto'

const SHAKE256_64 = { outputLength: 64 } as const

/** The first 64 bytes of SHAKE256, v0.6's hash of blocks, requests and batches (spec/consensus.md §5.3), for engines: they import no `node:` module. */
export function shake256(bytes: Uint8Array): Uint8Array {
  return createHash('shake256', SHAKE256_64).update(bytes).digest()
}
