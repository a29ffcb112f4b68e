import type { Clock, Logger } from '../../kernel/index.js'
import type { Store } from '../level/index.js'
import type { CatalogEngine, EngineCatalog } from './catalog.js'
import type { Consensus, ConsensusTransport, StateTransfer } from './consensus.js'
import type { ConsensusCounters, HostQueues } from './counters.js'
import type { EngineFactory, Member, MemberIndex } from './engine/engine.js'
import type { HostChaincode, HostLedger } from './execution/execution.js'
import type { ConsensusLimits } from './limits.js'
import type { EngineObserver } from './epochs/live-engine.js'
import type { TransactionProbe } from './probe.js'
import type { ConsensusSigner } from './session/signer.js'
import type { Recovery } from './swap/recovery.js'
import type { Swaps } from './swap/swaps.js'

/** Sees a run, for recording and for the test kit. Called synchronously; must not call the host. */
export type HostObserver = EngineObserver

/** Everything that a host needs: no kernel, no gRPC. */
export interface ConsensusHostOptions {
  readonly store: Store
  readonly ledger: HostLedger
  readonly chaincode: HostChaincode
  /** The engine of epoch 0: of a catalog, or with raw options, which the factory parses. */
  readonly engine: CatalogEngine | { readonly factory: EngineFactory; readonly options: unknown }
  /** Where the engines of later epochs are found. None: only the first one is known. */
  readonly engines?: Pick<EngineCatalog, 'find'>
  readonly members: readonly Member[]
  readonly self: MemberIndex
  readonly seed: bigint
  readonly clock: Clock
  readonly log: Logger
  /** None: this validator is alone. */
  readonly transport?: ConsensusTransport
  /** To other Weft hosts, for their own notes and the engines of later epochs. None: chains are not compared, and there is one epoch. */
  readonly notes?: ConsensusTransport
  /** None: v0.6 with security off (spec/consensus.md §2.4). */
  readonly signer?: ConsensusSigner
  /** None: only the current head can be reached. */
  readonly transfer?: StateTransfer
  readonly limits?: Partial<ConsensusLimits>
  /** A transaction that is in the chain already and is ordered again is executed again, as originals do. Default false. */
  readonly executesRepetitions?: boolean
  /** The engine of epoch 0 stays: there are validators that know no succession. Default false. */
  readonly hasFixedEngine?: boolean
  /** Runs a task soon, after what the present turn of the event loop brings. Default: a timer of the clock without delay. */
  readonly defer?: (task: () => void) => void
  /** What nobody can guess, for calls of operators. Default: of the system. For simulators, which must give the same run twice. */
  /** The network that operators sign for (`networkOf` the policy). Default: none, nobody signs. */
  readonly network?: string
  readonly randomBytes?: (count: number) => Uint8Array
  /** The peer must stop: a write failed. Called once. */
  readonly onFatal: (reason: unknown) => void
  readonly observer?: HostObserver
  /** Where it counts what becomes of requests. */
  readonly counters?: ConsensusCounters | undefined
  /** Sees the moments of requests. */
  readonly probe?: TransactionProbe | undefined
}

/** The engine of the moment and everything slow around it. */
export interface ConsensusHost extends Consensus {
  /** Restores the engine's records, makes the engine, feeds it the journal and binds the transports. Throws what `parseOptions` throws. */
  start(): Promise<void>
  /** Stops accepting, lets a delivery in progress finish (bounded by `limits.stopTimeoutMs`), disposes the engine. */
  stop(): Promise<void>
  /** Stops at once, as a power cut would: nothing further runs, is sent or written. For simulators. */
  kill(): void
  /** The operator's side of the succession of engines. */
  readonly swaps: Swaps
  /** The operators' way out when the engine is broken on too many validators. */
  readonly recovery: Pick<Recovery, 'begin' | 'cancel' | 'report' | 'record'>
  /** Ends the engine and begins it from its records, also one that was halted. Throws ERR_CONSENSUS_HALTED while the peer starts, stops or repairs itself. */
  restartEngine(): Promise<void>
  /** The engine's metrics by name, and the host's own, whose names begin with `host_`. */
  readonly metrics: ReadonlyMap<string, number>
  queues(): HostQueues
}
