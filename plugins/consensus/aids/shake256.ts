import { shake256 as hashOf, shake256Base64 as base64Of } from '../../../proto/hashes.js'

/** The first 64 bytes of SHAKE256, v0.6's hash of blocks, requests and batches (spec/consensus.md §5.3), for engines: they import no `node:` module. */
export function shake256(bytes: Uint8Array): Uint8Array {
  return hashOf(64, bytes)
}

/** The same in Base64, as v0.6 names batches. */
export function shake256Base64(bytes: Uint8Array): string {
  return base64Of(bytes)
}
