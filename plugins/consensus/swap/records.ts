import { decode, encode, EpochRecord, SeenProposals, SwapCandidate } from '../../../proto/index.js'

/** Name under which the succession of engines is kept in the world state, and to which its transactions are addressed. Reserved. */
export const CONSENSUS_NAME = 'consensus'

/** The part of the world state that belongs to the succession; keys are ASCII. Empty until the first swap. */
export interface SuccessionState {
  get(key: string): Uint8Array | undefined
}

/** As it is open to a running transaction. */
export interface WritableSuccessionState extends SuccessionState {
  put(key: string, value: Uint8Array): void
  delete(key: string): void
}

const CURRENT = 'current'
const CANDIDATE = 'candidate'
const SEEN = 'seen'
const epochKey = (epoch: bigint): string => `epoch/${epoch.toString(16).padStart(16, '0')}`

/** Everything that a call of the succession may have to read. */
export const SUCCESSION_KEYS = [CURRENT, CANDIDATE, SEEN] as const

/** The state of one call: what was read before it, and what it changes, in the order of the first change of each key. */
export class BufferedState implements WritableSuccessionState {
  private readonly values = new Map<string, Uint8Array>()
  readonly changes = new Map<string, Uint8Array | undefined>()

  read(key: string, value: Uint8Array | undefined): void {
    if (value !== undefined) this.values.set(key, value)
  }

  get(key: string): Uint8Array | undefined {
    return this.values.get(key)
  }

  put(key: string, value: Uint8Array): void {
    this.values.set(key, value)
    this.changes.set(key, value)
  }

  delete(key: string): void {
    this.values.delete(key)
    this.changes.set(key, undefined)
  }
}

/** The epoch of the chain: the record that was decided last, else `genesis`. */
export function currentRecord(state: SuccessionState, genesis: EpochRecord): EpochRecord {
  const bytes = state.get(CURRENT)
  return bytes === undefined ? genesis : decode(EpochRecord, bytes)
}

/** The record of any epoch up to the current one; undefined if there is no such epoch. */
export function recordOf(state: SuccessionState, genesis: EpochRecord, epoch: bigint): EpochRecord | undefined {
  if (epoch === 0n) return genesis
  const bytes = state.get(epochKey(epoch))
  return bytes && decode(EpochRecord, bytes)
}

/** The swap that is prepared and not decided. */
export function candidateOf(state: SuccessionState): SwapCandidate | undefined {
  const bytes = state.get(CANDIDATE)
  return bytes && decode(SwapCandidate, bytes)
}

/** How many proposals this epoch has seen: the number of the next one, which so is prepared once. */
export function seenProposals(state: SuccessionState): bigint {
  const bytes = state.get(SEEN)
  return bytes === undefined ? 0n : decode(SeenProposals, bytes).count
}

export function putSeen(state: WritableSuccessionState, count: bigint): void {
  state.put(SEEN, encode(SeenProposals, { count }))
}

export function putCandidate(state: WritableSuccessionState, candidate: SwapCandidate): void {
  state.put(CANDIDATE, encode(SwapCandidate, candidate))
}

export function dropCandidate(state: WritableSuccessionState): void {
  if (state.get(CANDIDATE) !== undefined) state.delete(CANDIDATE)
}

/** Writes an epoch's record, as the current one and as history. */
export function putRecord(state: WritableSuccessionState, record: EpochRecord): void {
  const bytes = encode(EpochRecord, record)
  state.put(CURRENT, bytes)
  state.put(epochKey(record.epoch), bytes)
}

/** A new epoch begins: what concerned the one before is over. */
export function putNewEpoch(state: WritableSuccessionState, record: EpochRecord): void {
  dropCandidate(state)
  if (state.get(SEEN) !== undefined) state.delete(SEEN)
  putRecord(state, record)
}

/** How many members may be faulty in any way while the epoch's engine goes on. */
export function faultsOf({ crashed, byzantine }: Pick<EpochRecord, 'crashed' | 'byzantine'>): number {
  return Math.max(crashed, byzantine)
}

/** Whether clients' transactions may be in its blocks: enough members have said that they run its engine. */
export function hasStarted({ epoch, started, markersNeeded }: EpochRecord): boolean {
  return epoch === 0n || started.length >= markersNeeded
}
