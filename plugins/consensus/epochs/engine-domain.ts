import type { EpochRecord } from '../../../proto/index.js'
import type { Member } from '../engine/engine.js'
import { digestOf } from '../engine/request-id.js'

/** Where an engine signs. */
export interface SigningPlace {
  /** The name of the network, if its validators agree on one (`peer.networkId` under the policy `operators`). */
  readonly network: string
  readonly members: readonly Member[]
  /** Of a trial the epoch that it is for. */
  readonly epoch: Pick<EpochRecord, 'epoch' | 'candidate' | 'activation'>
  readonly isTrial: boolean
}

/**
 * What stands before everything that an engine has signed (32 bytes), so that its signatures hold among these members, in this epoch of this network alone,
 * whatever the engine itself puts into what is signed; and never as a word of the host, which signs with the same key. A candidate's identity has a random part, that of its proposal.
 */
export function engineDomain({ network, members, epoch: { epoch, candidate, activation }, isTrial }: SigningPlace): Uint8Array {
  const validators = members.map(({ id, key }) => [id, hex(key)])
  const place = ['weft consensus engine', network, isTrial ? 'trial' : `${activation}`, `${epoch}`, hex(candidate), validators]
  return digestOf(Buffer.from(JSON.stringify(place)))
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}
