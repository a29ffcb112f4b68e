import { createHash, timingSafeEqual } from 'node:crypto'
import type { ConsensusSigner, Member } from '../../plugins/consensus/index.js'
import type { SyncSigner } from './sync-signer.js'

/** The same at once, for the model of a host. */
export const keyedHashes: SyncSigner = {
  sign: keyedHash,
  verify(member, bytes, signature) {
    const expected = keyedHash(member, bytes)
    return signature.length === expected.length && timingSafeEqual(signature, expected)
  },
}

/** Signatures for simulations: a hash keyed with the member's id. Fast and deterministic; worthless against anybody who reads this. */
export function createKeyedHashSigner(self: Member): ConsensusSigner {
  return {
    sign: (bytes) => Promise.resolve(keyedHashes.sign(self, bytes)),
    verify: (member, bytes, signature) => Promise.resolve(keyedHashes.verify(member, bytes, signature)),
  }
}

function keyedHash(member: Member, bytes: Uint8Array): Buffer {
  return createHash('sha256').update(`simulated key of ${member.id}`).update(bytes).digest()
}
