import type { EpochRecord, SwapCandidate } from '../../../proto/index.js'
import type { Ledger } from '../../ledger/index.js'
import type { Admission } from '../execution/execution.js'
import type { RejectedRequests } from '../execution/rejected-requests.js'
import { callOf, isToSuccession } from './calls.js'
import { hashOf } from './rules.js'
import { CONSENSUS_NAME, candidateOf, currentRecord, hasStarted, recordOf, seenProposals, SUCCESSION_KEYS, type SuccessionState } from './records.js'

const NAMESPACE = Buffer.from(CONSENSUS_NAME)

/** The succession of engines as the chain has it: nothing but verified state says which engine runs. */
export class Succession {
  private current: EpochRecord
  private pending: SwapCandidate | undefined
  private adopted: EpochRecord | undefined
  private readonly state: SuccessionState

  constructor(
    private readonly ledger: Pick<Ledger, 'committed' | 'block' | 'info' | 'height'>,
    readonly genesis: EpochRecord,
  ) {
    const keys = new Map<string, Uint8Array>(SUCCESSION_KEYS.map((key) => [key, Buffer.from(key)]))
    this.state = { get: (key) => ledger.committed.get(NAMESPACE, keys.get(key) ?? Buffer.from(key)) }
    this.current = currentRecord(this.state, genesis)
    this.pending = candidateOf(this.state)
  }

  /** The epoch of the chain, as of the last `refresh`. */
  get record(): EpochRecord {
    return this.current
  }

  /** The swap that is prepared and not decided. */
  get candidate(): SwapCandidate | undefined {
    return this.pending
  }

  /** How many proposals the epoch of the world state has seen. */
  get seenProposals(): bigint {
    return seenProposals(this.state)
  }

  /** Reads the state anew. */
  refresh(): EpochRecord {
    const { stored } = this
    this.current = this.adopted && this.adopted.epoch > stored.epoch ? this.adopted : stored
    this.pending = candidateOf(this.state)
    return this.current
  }

  /** The epoch of the world state. */
  get stored(): EpochRecord {
    return currentRecord(this.state, this.genesis)
  }

  /** Operators began an epoch that the world state will have as soon as a marker of it is executed. */
  adopt(record: EpochRecord | undefined): void {
    this.adopted = record
    this.refresh()
  }

  /** Whether the world state has an epoch. */
  isStored(epoch: bigint): boolean {
    return this.stored.epoch >= epoch
  }

  /** The record of an epoch up to the present one, also of one that operators began a moment ago; undefined if there is none. */
  recordOf(epoch: bigint): EpochRecord | undefined {
    return epoch === this.current.epoch ? this.current : recordOf(this.state, this.genesis, epoch)
  }

  /** All epochs, the first one first. */
  history(): EpochRecord[] {
    const epochs: EpochRecord[] = []
    for (let epoch = 0n; epoch <= this.current.epoch; epoch++) {
      const record = recordOf(this.state, this.genesis, epoch)
      if (record) epochs.push(record)
    }
    return epochs
  }

  /** Number of the first block that is not of epoch 0; undefined if there is no later epoch. */
  firstLaterBlock(): bigint | undefined {
    const record = this.current.epoch === 0n ? undefined : recordOf(this.state, this.genesis, 1n)
    return record && record.activation + 1n
  }

  /** What a block may hold that is begun now. */
  admission(rejected: RejectedRequests): Admission {
    const { current } = this
    return {
      epoch: current.epoch,
      markersMissing: hasStarted(current) ? 0 : current.markersNeeded - current.started.length,
      isSuccession: isToSuccession,
      isMarker: (transaction) => callOf(transaction)?.call === 'start',
      wasRejected: (bytes) => rejected.has(bytes),
      rejected: (batch, number, identities) => rejected.write(batch, number, identities),
    }
  }

  /** Hash of a block of this chain; undefined above the head, and for a block that is not stored. */
  hashOf(block: bigint): Uint8Array | undefined {
    return hashOf(this.ledger, block)
  }
}
