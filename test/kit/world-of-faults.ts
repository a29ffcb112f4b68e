import type { Member, MemberIndex } from '../../plugins/consensus/index.js'
import type { Invariants } from './invariants.js'
import type { Endpoint } from './link-table.js'
import type { Links } from './links.js'
import type { CrashKind, SimulatedDisk } from './memory-disk.js'
import type { Random } from './random.js'
import type { Trace } from './trace.js'
import type { VirtualTime } from './virtual-clock.js'

/** A validator as scenarios see it, whatever it is made of. It outlives its crashes. */
export interface ScenarioPeer {
  readonly member: Member
  readonly endpoint: Endpoint
  /** Started and not crashed. */
  readonly isUp: boolean
  /** Up and past its start. */
  readonly isRunning: boolean
  /** Requests that it accepted and that have no outcome; undefined: it does not run. */
  readonly pendingRequests: number | undefined
  readonly disk: Pick<SimulatedDisk, 'onWrite' | 'slowMs' | 'hasFailed' | 'failNextWrite' | 'wipe'>
  readonly execution: { slowMs: number }
  clockJumpMs: number
  start(): void
  crash(kind: CrashKind): void
  beginStop(): void
  submit(transaction: Uint8Array): boolean
  submitAsNew(transaction: Uint8Array): void
  restartEngine(): void
}

/** A simulated network in which scenarios are played: of real hosts, or of models of them. */
export interface ScenarioWorld {
  readonly time: VirtualTime
  readonly random: Random
  readonly links: Links
  readonly trace: Trace
  readonly invariants: Invariants
  /** The members; of twins the first instance. */
  readonly peers: readonly ScenarioPeer[]
  /** The second instances of twins. */
  readonly twins: readonly ScenarioPeer[]
  /** Virtual events so far. */
  readonly steps: number
  peer(member: MemberIndex): ScenarioPeer
  instances(): readonly ScenarioPeer[]
  start(limitMs?: number): Promise<void>
  run(durationMs: number): Promise<void>
  runUntil(what: string, isReached: () => boolean, limitMs: number): Promise<void>
  checkAll(): Promise<void>
}
