import { Durations } from './durations.js'

/** What the store has done since it was opened; read by whoever watches the peer. */
export class StoreCounters {
  /** Batches committed by plugins; those that wait together are one write. */
  batches = 0
  operations = 0
  bytes = 0
  /** Writes that did not wait for the disk. */
  unsyncedWrites = 0
  /** Writes that did, and how long each took. */
  readonly syncedWrites = new Durations()
  /** Set when a write has failed: the store takes nothing more. */
  failure: string | undefined

  /** @param elapsedMs monotonic milliseconds */
  constructor(readonly elapsedMs: () => number) {}
}
