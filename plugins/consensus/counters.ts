/** What became of the transactions that were submitted to this validator since its start. Plain numbers; read by whoever watches the peer. */
export class ConsensusCounters {
  /** Accepted, and journaled before the answer. Those of an earlier life of the peer are not counted. */
  accepted = 0
  /** The same bytes were waiting, or in the chain, already. */
  duplicates = 0
  /** Refused for want of room (ERR_CONSENSUS_OVERLOADED), or because one alone is too large. */
  refusedForRoom = 0
  /** Refused because no engine runs (ERR_CONSENSUS_HALTED). */
  refusedHalted = 0
  /** Of the accepted ones: in a block. */
  committed = 0
  /** Executed, and failed. */
  rejected = 0
  /** Forgotten by the engine without being executed. */
  dropped = 0
  /** How often this validator's chain differed from that of the others, or the others' chains differed too much to tell. */
  divergences = 0
  /** Since when, in milliseconds of the clock, requests wait without a pause; undefined: none waits. */
  waitingSinceMs: number | undefined
  private waiting = 0
  private changedMs = 0
  private waited = 0

  /** @param elapsedMs monotonic milliseconds */
  constructor(readonly elapsedMs: () => number) {}

  /** How many requests wait from now on. */
  waits(count: number): void {
    const nowMs = this.elapsedMs()
    this.waited += this.waiting * (nowMs - this.changedMs)
    this.changedMs = nowMs
    this.waiting = count
    if (count === 0) this.waitingSinceMs = undefined
    else this.waitingSinceMs ??= nowMs
  }

  /** The waiting times of all requests, added up, of those that still wait until now; its growth by the number of those that ended is the mean latency. */
  waitedMs(): number {
    return this.waited + this.waiting * (this.elapsedMs() - this.changedMs)
  }
}

/** Messages that wait: to be handled by the engine, and of the engine for the disk. */
export interface HostQueues {
  readonly inbox: number
  readonly outbox: number
}

/** The counters, and what the running engine reports of itself. */
export interface ConsensusFigures {
  readonly counters: ConsensusCounters
  /** The engine's metrics by name and the host's own, which begin with `host_`; empty without an engine. */
  metrics(): ReadonlyMap<string, number>
  /** Undefined without an engine. */
  queues(): HostQueues | undefined
}
