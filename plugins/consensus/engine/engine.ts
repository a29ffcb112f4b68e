/** Identity of a request: lower-case hex of SHAKE256 (32 bytes) over the transaction's canonical bytes. Never the txid: clients choose that. */
export type RequestId = string & { readonly brand?: 'RequestId' }

/** Stable position of a member in `members`, from 0. */
export type MemberIndex = number

/** A validator of this epoch. */
export interface Member {
  readonly index: MemberIndex
  /** `peer.id`, e.g. `vp0`. */
  readonly id: string
  /** Public key, if the network has security. */
  readonly key?: Uint8Array
}

/** A client's request, as the host hands it out and takes it back. */
export interface EngineRequest {
  readonly id: RequestId
  /** Canonical transaction bytes; opaque to engines. */
  readonly bytes: Uint8Array
  /**
   * Of a request that this validator accepted: when, in microseconds since 1970. It grows with every request, and is the same when the request is told again,
   * also after a restart. Left out: nobody knows.
   */
  readonly acceptedAt?: number
}

/** Chain head as engines see it; `blob` is the encoded BlockchainInfo (PBFT's checkpoint value). */
export interface Head {
  readonly height: bigint
  readonly hash: Uint8Array
  readonly blob: Uint8Array
}

/** The block that a `deliver` or `commit` became. */
export interface DeliveredBlock {
  readonly number: bigint
  readonly hash: Uint8Array
  readonly stateHash: Uint8Array | undefined
  readonly head: Head
  /** Requests that were executed and rejected: they are in no block, and may be ordered again. Left out: none. */
  readonly rejected?: readonly RequestId[]
}

/** Outcome of one request of an `execute`. */
export interface RequestOutcome {
  readonly id: RequestId
  readonly succeeded: boolean
}

/** What `transferTo` aims at: chain info and members that vouched for it (empty: anybody). */
export interface TransferTarget {
  readonly height: bigint
  readonly hash: Uint8Array
  readonly members: readonly MemberIndex[]
}

/** How a `transferTo` ended. */
export type TransferResult =
  | {
      readonly reached: true
      readonly head: Head
      readonly metadata: Uint8Array | undefined
      /** The requests in the blocks that came; left out if they are too many to tell. A rejected request is in no block. */
      readonly executed?: readonly RequestId[]
    }
  | { readonly reached: false; readonly reason: string }

/** How an engine instance begins. */
export interface EngineStart {
  /** Counts the engines of this network, from 0. */
  readonly epoch: bigint
  /** The chain's head. */
  readonly head: Head
  /** Of the last block of THIS epoch; `undefined` if it has none. */
  readonly metadata: Uint8Array | undefined
  /** Everything that was `put` in this epoch and not deleted, by key. */
  readonly restored: ReadonlyMap<string, Uint8Array>
  /** All validators of this epoch, by index. */
  readonly members: readonly Member[]
  /** The newest requests in the chain, oldest first, in bounded number: what an engine must not order again. */
  readonly executed?: readonly RequestId[]
  /**
   * The number of the first own block that differed from the others', after the host has put theirs in its place: what was put that speaks of results from
   * there on, such as checkpoints, is wrong and must not be said again. Votes on the order stand.
   */
  readonly divergedAt?: bigint
  /**
   * The member that leads at the start of an epoch after the first, if the engine has a leader: it was there when the epoch was decided. The same on every member, and
   * again when an instance is begun anew in this epoch; a trial has one too, which may be another one. Epoch 0: left out, on every member.
   */
  readonly firstLeader?: MemberIndex
  /** Original validators of v0.6 may be among the members (`peer.validator.compatibility: v0.6`). Left out: there are none. */
  readonly hasOriginals?: boolean
  /** Seeds everything that looks random. The same on every run of a recorded or simulated instance. */
  readonly seed: bigint
}

/** Says which vote a sent message carries, so that a test kit can check that nobody votes twice for different values. */
export interface VoteMark {
  readonly slot: string
  readonly value: string
}

/**
 * What an engine may ask for. Every call is an effect: recorded while the handler runs, carried out after it returns, in order.
 * All `put`s of a handler are one group-committed write. A send waits for it and for every write asked for earlier, also by earlier handlers, and sends keep
 * their order; the block of a `deliver` becomes durable after them too. Reads are not offered: what was `put` comes back in `restored`.
 *
 * Bytes and arrays that are given to the host are not copied: they are the host's from then on, and are not changed any more. The same holds for what handlers are
 * given; it may be kept. Outside a handler, so also from a promise or after `dispose`, every call and `now` throw ERR_ENGINE_MISUSE, as calls with wrong arguments do.
 */
export interface EngineHost {
  /** This validator's index in `members`. */
  readonly self: MemberIndex
  /** All validators of this epoch, by index. */
  readonly members: readonly Member[]
  /** The chain's head; moves only with the event that tells of it. */
  readonly head: Head
  /** How many `deliver`s and `execute`s may be unanswered at a time; one more halts the engine. */
  readonly deliveryWindow: number
  /** Milliseconds since 1970 of logical time: never goes back while the engine runs, the same for the whole handler. */
  readonly now: number
  /** Deterministic pseudo-random number in [0, 1), from the seed. */
  random(): number
  /** A message to one member; leaves after every `put` asked for before it is on disk. `vote` tells the test kit what is voted. */
  send(to: MemberIndex, bytes: Uint8Array, options?: { readonly vote?: VoteMark }): void
  /** The same to every member but self. */
  broadcast(bytes: Uint8Array, options?: { readonly vote?: VoteMark }): void
  /** Keeps a record, under a key of printable ASCII, at most 512 characters. It comes back in `start.restored`. */
  put(key: string, bytes: Uint8Array): void
  /** Deletes a record. */
  delete(key: string): void
  /**
   * Executes and commits the next block; `put` is written in the block's own atomic batch. Answer: `onDelivered(tag)`. Without requests it is a block too, an empty one: deliver
   * nothing if no block is wanted. Asked for after a `transferTo`, it waits for its end, reached or not, and goes on from the head that is there then: better wait for
   * `onTransferred`, and look whether it is still the next.
   */
  deliver(
    tag: string,
    requests: readonly EngineRequest[],
    options?: { readonly metadata?: Uint8Array; readonly put?: readonly (readonly [key: string, value: Uint8Array])[] },
  ): void
  /** Executes into the one open batch, for engines that agree on results. Answer: `onExecuted(tag)`. */
  execute(tag: string, requests: readonly EngineRequest[]): void
  /** Commits the open batch as the next block. Answer: `onDelivered(tag)`. */
  commit(tag: string, metadata?: Uint8Array): void
  /** Discards the open batch. */
  rollback(): void
  /** Cancels what is undelivered and transfers the state. Answer: `onTransferred`. */
  transferTo(target: TransferTarget): void
  /** While false, queries are refused: the state is known to be behind. True at the start; the word of an engine ends when it is halted, or another begins. */
  setValid(valid: boolean): void
  /** (Re)starts a named timer; a reset or cancelled timer never fires afterwards. */
  setTimer(name: string, delayMs: number): void
  /** Ends a timer; nothing happens if it does not run. */
  cancelTimer(name: string): void
  /** Answer: `onSigned(token, signature)`. The signature holds for these bytes among these members in this epoch of this network alone: the host sees to that. */
  sign(token: string, bytes: Uint8Array): void
  /** Answer: `onVerified(token, verdicts)`, one verdict per item in order. */
  verify(token: string, items: readonly { readonly member: MemberIndex; readonly bytes: Uint8Array; readonly signature: Uint8Array }[]): void
  /** Drops requests from the pool without executing them. */
  forget(ids: readonly RequestId[]): void
  /** What `peer consensus status` shows of the engine; plain JSON. */
  status(view: Readonly<Record<string, unknown>>): void
  /** Sets a number that operators can watch. */
  metric(name: string, value: number): void
  /** A line in the peer's log. */
  log(level: 'error' | 'warning' | 'info' | 'debug', message: string): void
  /** Stops this engine for good; the host stays up and says why. */
  halt(reason: string): void
}

/** An engine instance: handlers run one at a time, never re-entrantly, and never throw for bad input. Unneeded ones may be left out. */
export interface Engine {
  /** A request that this validator accepted (again after a restart, in the order of submission). */
  onRequest?(request: EngineRequest): void
  /** `from` was authenticated by the transport. Bytes are hostile. */
  onMessage?(from: MemberIndex, bytes: Uint8Array): void
  /** The link to a member came (at the start: those that are up) or went; what was under way on it may be lost. */
  onPeer?(member: MemberIndex, up: boolean): void
  /** A timer that was set ran out. */
  onTimer?(name: string): void
  /** An `execute` is done; the state hash is that of the open batch so far. */
  onExecuted?(tag: string, result: { readonly stateHash: Uint8Array | undefined; readonly outcomes: readonly RequestOutcome[] }): void
  /**
   * `skipped`: the host dropped it; its requests are back in the pool. Either the epoch has ended, then `onSealed` was called before, or a `transferTo` of this engine
   * overtook it, then `onTransferred` follows.
   */
  onDelivered?(tag: string, block: DeliveredBlock | 'skipped'): void
  /**
   * If the target was reached, every own request that is in no block yet follows as `onRequest`, in the order of submission. Forget the own requests here;
   * of others' those in `result.executed`, or all if that is missing: their owners say them again.
   * What this engine kept of its own below the new head, such as a log, may not be what is in the chain: forget it, and show it to nobody.
   */
  onTransferred?(result: TransferResult): void
  /** The answer of `sign`. */
  onSigned?(token: string, signature: Uint8Array): void
  /** The answer of `verify`: one verdict for each item, in order. */
  onVerified?(token: string, verdicts: readonly boolean[]): void
  /**
   * The epoch ends at `height`, a height of the chain, which is its number of blocks: with `onSealed(42n)` block 41 is the last one of this engine, and block 42 the next
   * engine's. Go on voting and helping others to get there, deliver nothing new.
   */
  onSealed?(height: bigint): void
  /** The end of this instance: free what it holds. It may log, and ask for nothing else. */
  dispose?(): void
}

/** A kind of engine: what a consensus plugin exports. */
export interface EngineFactory<O = unknown> {
  /** Small letters, digits and hyphens; what a site and `peer consensus swap` call it. */
  readonly name: string
  /** That of its package. */
  readonly version: string
  /** False: its validators may cut different blocks (noops). */
  readonly agreement: boolean
  /** How many of `n` members may be crashed or Byzantine while it stays safe and live. */
  tolerates(n: number): { readonly crashed: number; readonly byzantine: number }
  /** Checks options from the site or from a swap's JSON; throws a PeerError that names what is wrong. */
  parseOptions(raw: unknown): O
  /**
   * Checks whether options fit these members; throws a PeerError that names what is wrong, as `create` would. Asked before a swap or a recovery is proposed. Left out:
   * they fit any.
   */
  checkMembers?(options: O, members: readonly Member[]): void
  /** Makes an instance; it may already ask for effects. */
  create(host: EngineHost, options: O, start: EngineStart): Engine
}
