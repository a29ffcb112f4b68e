import type { Member } from './engine.js'

/** Signs and verifies for engines; the security plugin will. Slow work is done off the event loop. */
export interface ConsensusSigner {
  sign(bytes: Uint8Array): Promise<Uint8Array>
  /** False for any reason why the signature does not hold. */
  verify(member: Member, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>
}
