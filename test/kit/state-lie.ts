import { CONSENSUS_NAME, type EngineFactory, SUCCESSION_KEYS } from '../../plugins/consensus/index.js'
import type { Ledger } from '../../plugins/ledger/index.js'
import { decode, encode, EpochRecord } from '../../proto/index.js'

/** One value that a liar who is asked for its state puts in the place of the true one. */
export interface StateLie {
  /** ASCII. */
  readonly chaincode: string
  readonly key: string
  readonly value: Uint8Array
}

/** The state of a ledger with another engine in it than the chain decided on: that a swap to `engine` has just happened. */
export function anotherEngine(ledger: Ledger, members: readonly string[], engine: EngineFactory): StateLie {
  const [key] = SUCCESSION_KEYS
  const stored = ledger.committed.get(Buffer.from(CONSENSUS_NAME), Buffer.from(key))
  const { epoch } = stored ? decode(EpochRecord, stored) : EpochRecord.fromPartial({})
  const { name, version, agreement, tolerates } = engine
  const record = { epoch: epoch + 1n, engine: name, version, options: '{}', members: [...members], agreement, ...tolerates(members.length) }
  const value = encode(EpochRecord, EpochRecord.fromPartial({ ...record, activation: ledger.height() - 1n, markersNeeded: members.length }))
  return { chaincode: CONSENSUS_NAME, key, value }
}
