import type { Member } from '../../plugins/consensus/index.js'

/** Signs and verifies at once, with a key for each member. */
export interface SyncSigner {
  sign(self: Member, bytes: Uint8Array): Uint8Array
  verify(member: Member, bytes: Uint8Array, signature: Uint8Array): boolean
}
