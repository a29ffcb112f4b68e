import { createHash, timingSafeEqual } from 'node:crypto'
import type { ConsensusSigner, Member } from '../../plugins/consensus/index.js'

/** Signatures for simulations: a hash keyed with the member's id. Fast and deterministic; worthless against anybody who reads this. */
export function createKeyedHashSigner(self: Member): ConsensusSigner {
  return {
    sign: (bytes) => Promise.resolve(keyedHash(self, bytes)),
    verify(member, bytes, signature) {
      const expected = keyedHash(member, bytes)
      return Promise.resolve(signature.length === expected.length && timingSafeEqual(signature, expected))
    },
  }
}

function keyedHash(member: Member, bytes: Uint8Array): Buffer {
  return createHash('sha256').update(`simulated key of ${member.id}`).update(bytes).digest()
}
