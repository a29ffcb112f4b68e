import type { Member } from '../engine/engine.js'

/**
 * Signs and verifies; the security plugin will. Slow work is done off the event loop. The key of a validator may serve in several networks, and speaks for the host
 * and for every engine: whoever asks says in the bytes what is meant (`engineDomain`, `memberBytes`). In epoch 0 of a network with originals an engine's bytes are signed as they are.
 */
export interface ConsensusSigner {
  sign(bytes: Uint8Array): Promise<Uint8Array>
  /** False for any reason why the signature does not hold. */
  verify(member: Member, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>
}
