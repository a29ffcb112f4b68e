import type { ConsensusReport, NetworkStatus, VitalsReading } from '../../proto/index.js'

/** A peer to be watched. */
export interface Target {
  /** What it is called until it answers. */
  readonly name: string
  readonly address: string
}

/** What a peer answered at one moment. */
export interface Answer {
  /** Monotonic milliseconds here. */
  readonly atMs: number
  readonly report: ConsensusReport
  /** Undefined: its site has no plugin that says so. */
  readonly network: NetworkStatus | undefined
  readonly vitals: VitalsReading | undefined
}

/** What is known of a peer. */
export interface Watched {
  readonly target: Target
  readonly state: 'asked' | 'answers' | 'unreachable'
  /** The newest answer, also of one that is unreachable now. */
  readonly last: Answer | undefined
  /** The answer with which `last` is compared. */
  readonly before: Answer | undefined
  /** Why it is unreachable, and since when (monotonic milliseconds). */
  readonly reason: string
  readonly sinceMs: number
}

/** Something that happened to the network while it was watched. */
export interface Happening {
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number
  readonly peer: string
  readonly text: string
  readonly kind: 'swap' | 'view' | 'bad' | 'good'
}

/** Everything that a frame is made of. */
export interface Picture {
  /** What is watched, for people. */
  readonly title: string
  /** Wall clock, milliseconds since 1970. */
  readonly wallMs: number
  /** Monotonic milliseconds. */
  readonly nowMs: number
  readonly peers: readonly Watched[]
  /** The oldest first. */
  readonly happenings: readonly Happening[]
}
