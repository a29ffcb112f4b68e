import type { EpochRecord } from '../../../proto/index.js'
import type { Store } from '../../level/index.js'
import { engineMetadata } from '../execution/block-metadata.js'
import type { CatalogEngine, EngineCatalog } from '../catalog.js'
import type { ConsensusTransport, StateTransfer } from '../consensus.js'
import { Deliveries } from '../execution/deliveries.js'
import { engineDomain } from './engine-domain.js'
import type { EngineRequest, Head, RequestId } from '../engine/engine.js'
import type { EngineEvent } from '../engine/events.js'
import type { BlockExecution, HostLedger } from '../execution/execution.js'
import type { HostNotes } from '../notes.js'
import type { OutboundMessage } from '../session/outbox.js'
import type { RequestPool } from '../pool/pool.js'
import type { TransactionProbe } from '../probe.js'
import type { EngineRecords } from '../engine/records.js'
import { EngineSession, type SessionSurroundings } from '../session/session.js'
import type { Objections } from '../swap/objections.js'
import { hasStarted } from '../swap/records.js'
import type { Succession } from '../swap/succession.js'

/** The engine of an epoch, running here. */
export interface LiveEngine {
  readonly epoch: bigint
  readonly engine: CatalogEngine
  readonly session: EngineSession
  readonly deliveries: Deliveries
  readonly records: EngineRecords
  readonly metrics: Map<string, number>
  /** Its epoch has started. */
  hasStarted: boolean
  /** It may be given transactions of clients: its epoch has started, or it leads first and was given the markers that start it. */
  isOpen: boolean
  /** What it says of the world state here; its word ends with it. */
  isValid: boolean
  /** Start markers that it was given to order, of which the journal may not have all yet. */
  readonly markers: Map<RequestId, EngineRequest>
  /** It has had something executed that its blocks may not hold before its epoch has started. */
  hasPostponed: boolean
}

/** Sees the messages and events of engines of the chain, not of those on trial. */
export interface EngineObserver {
  event?(event: EngineEvent, epoch: bigint): void
  /** An instance of the epoch's engine begins, the first or one that goes on from its records. */
  begins?(epoch: bigint): void
  sent?(message: OutboundMessage, epoch: bigint): void
}

export interface EpochsOptions {
  readonly surroundings: SessionSurroundings
  readonly store: Store
  readonly ledger: HostLedger
  readonly execution: BlockExecution
  readonly pool: RequestPool
  readonly succession: Succession
  /** The engine of epoch 0, as the site has it. */
  readonly first: CatalogEngine
  readonly engines: Pick<EngineCatalog, 'find'>
  readonly transport: ConsensusTransport | undefined
  readonly notes: HostNotes
  readonly objections: Pick<Objections, 'say'>
  readonly transfer: StateTransfer | undefined
  readonly probe: TransactionProbe | undefined
  readonly observer: EngineObserver | undefined
  readonly seed: bigint
  /** A block was committed, or a transfer has ended. */
  readonly grown: (head: Head) => void
  /** A transfer has brought blocks. Rejects if the store fails. */
  readonly tookBlocks: () => Promise<void>
  /** The engine that orders was halted. */
  readonly halted: (reason: string) => void
  /** The engine that orders is gone, through no fault of its rules. */
  readonly lost: (reason: string) => void
  readonly isOver: () => boolean
  readonly fatal: (reason: unknown) => void
}

/** What a live engine is told of the epochs around it. */
export interface EpochTies {
  /** Whether it is the one that orders, and not one that is sealed. */
  readonly isLive: () => boolean
  /** Own requests that it may be given. */
  readonly open: () => readonly EngineRequest[]
  /** The chain has grown. Returns the height at which its epoch has ended, if it has. */
  readonly grown: (hasPostponed: boolean) => bigint | undefined
  /** It was sealed, and cannot go on. */
  readonly sealedOver: () => void
}

/** What a sealed engine asks of the ledger is refused after so long. */
const SEALED_ANSWER_MS = 50

const NOT_ON_TRIAL = new Uint8Array(0)

/** Puts an engine of the chain together: its session, and its way to the ledger and to the others. It is not begun yet. */
export function createLiveEngine(
  options: EpochsOptions,
  { record, engine, records }: { readonly record: EpochRecord; readonly engine: CatalogEngine; readonly records: EngineRecords },
  ties: EpochTies,
): LiveEngine {
  const { store, pool, execution, ledger, surroundings, notes, transport, observer } = options
  const { isLive } = ties
  const { epoch, activation } = record
  const metrics = new Map<string, number>()
  const deliveries = new Deliveries({
    execution,
    ledger,
    pool,
    records,
    window: surroundings.limits.deliveryWindow,
    maxTold: surroundings.limits.maxToldRequests,
    transfer: options.transfer,
    probe: options.probe,
    metadata: () => engineMetadata(ledger, epoch, activation),
    open: ties.open,
    tookBlocks: options.tookBlocks,
    grown: ties.grown,
    defer: surroundings.defer,
    later: (task) => void surroundings.clock.setTimer(SEALED_ANSWER_MS, task),
    answer: (event) => {
      if (event.type === 'delivered' && event.block !== 'skipped') options.grown(event.block.head)
      session.post(event)
    },
    fault: (reason) => session.fail(reason),
    fatal: options.fatal,
  })
  const session = new EngineSession({
    domain: domainOf(surroundings, record),
    seat: engine.seat(epoch === 0n ? engine.options : JSON.parse(record.options)),
    persistence: {
      write: (changes, forgotten) => {
        const batch = store.batch()
        for (const change of changes) records.write(batch, change)
        if (isLive()) for (const id of forgotten) pool.remove(batch, id)
        return batch.size === 0 ? undefined : store.commit(batch, 'record')
      },
    },
    ledger: (effect) => deliveries.add(effect),
    transmit: (message) => {
      observer?.sent?.(message, epoch)
      if (epoch === 0n) transport?.send(message.to, message.bytes)
      else notes.engine(message.to, epoch, NOT_ON_TRIAL, message.bytes)
    },
    forget: (ids) => {
      if (isLive()) for (const id of ids) pool.drop(id)
    },
    setValid: (valid) => {
      live.isValid = valid
    },
    metrics,
    halted: (reason) => {
      if (isLive()) options.halted(reason)
      else surroundings.log.warning('the sealed engine of the epoch before is halted', { epoch, reason })
    },
    lost: (reason) => {
      if (isLive()) options.lost(reason)
      else ties.sealedOver()
    },
    observe: observer?.event && ((event) => observer.event?.(event, epoch)),
    ...surroundings,
  })
  const isStarted = hasStarted(record)
  const live: LiveEngine = {
    epoch,
    engine,
    session,
    deliveries,
    records,
    metrics,
    hasStarted: isStarted,
    isOpen: isStarted,
    isValid: true,
    markers: new Map(),
    hasPostponed: false,
  }
  return live
}

/** Originals verify the bytes themselves; there are none in later epochs (spec/consensus.md §5.6). */
function domainOf({ network, members }: SessionSurroundings, epoch: EpochRecord): Uint8Array | undefined {
  if (network === undefined && epoch.epoch === 0n) return undefined
  return engineDomain({ network: network ?? '', members, epoch, isTrial: false })
}
