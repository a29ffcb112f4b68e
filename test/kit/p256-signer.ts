import { generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import type { ConsensusSigner, Member } from '../../plugins/consensus/index.js'
import type { SyncSigner } from './sync-signer.js'

const CURVE = { namedCurve: 'P-256' } as const
const HASH = 'sha256'

/**
 * Real ECDSA signatures over P-256, with a key for each member, made when it is first needed. They are randomised, so two runs of a seed differ in their bytes;
 * for everything else there are keyed hashes.
 */
export function createP256Signers(): (self: Member) => ConsensusSigner {
  const keys = createP256Keys()
  return (self) => ({
    sign: (bytes) => Promise.resolve(keys.sign(self, bytes)),
    verify: (member, bytes, signature) => Promise.resolve(keys.verify(member, bytes, signature)),
  })
}

/** The same at once, for the model of a host. */
export function createP256Keys(): SyncSigner {
  const keys = new Map<string, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>()
  const keyOf = ({ id }: Member): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } => {
    const pair = keys.get(id) ?? generateKeyPairSync('ec', CURVE)
    keys.set(id, pair)
    return pair
  }
  return {
    sign: (self, bytes) => sign(HASH, bytes, keyOf(self).privateKey),
    verify: (member, bytes, signature) => verify(HASH, bytes, keyOf(member).publicKey, signature),
  }
}
