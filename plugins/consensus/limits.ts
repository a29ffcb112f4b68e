/** Bounds of one host. Every queue has one; what happens at it is said at each. */
export interface ConsensusLimits {
  /** Requests waiting to be committed, whatever the rate; beyond it, or beyond two seconds of the rate (never below 1000) of one origin, `submit` throws ERR_CONSENSUS_OVERLOADED. */
  readonly maxRequests: number
  /** Their bytes; beyond it `submit` throws ERR_CONSENSUS_OVERLOADED. */
  readonly maxRequestBytes: number
  /** Messages of one member that wait for the engine; beyond it they are dropped and counted until it has caught up, which it is told as a broken link. */
  readonly maxInboundPerMember: number
  /** Their bytes; one message of any size may wait. */
  readonly maxInboundBytesPerMember: number
  /** Deliveries (`deliver`, `execute`) that an engine may have asked for and not been answered; one more halts it. */
  readonly deliveryWindow: number
  /** Sends that wait for the disk; beyond it no messages are taken from the inbox until it has caught up. */
  readonly maxWaitingSends: number
  /** Requests of the chain that an engine is told of at its start and after a transfer, the newest: to read and hash the default number takes a tenth of a second. */
  readonly maxToldRequests: number
  /** How long `stop` waits for a delivery in progress. */
  readonly stopTimeoutMs: number
}

export const defaultLimits: ConsensusLimits = Object.freeze({
  maxRequests: 20_000,
  maxRequestBytes: 256 * 1024 * 1024,
  // As many as a neighbour keeps for this peer: what a busy second brings must not be lost.
  maxInboundPerMember: 16_384,
  maxInboundBytesPerMember: 128 * 1024 * 1024,
  deliveryWindow: 8,
  maxWaitingSends: 10_000,
  maxToldRequests: 10_000,
  stopTimeoutMs: 10_000,
})
