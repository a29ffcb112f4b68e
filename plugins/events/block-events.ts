import {
  blockChaincodeEvents,
  blockEventBytes,
  chaincodeEventBytes,
  chaincodeEventNames,
  positionedEventBytes,
  publicBlock,
  rejectionEventBytes,
} from '../../proto/index.js'
import type { ExecutedTransaction, Height } from '../ledger/index.js'
import { type EventKind, type EventPosition, positionText } from './position.js'

/** One event, encoded once for all consumers. */
export class HubEvent {
  private withPosition: Uint8Array | undefined

  constructor(
    readonly position: EventPosition,
    /** A serialised `protos.Event`. */
    readonly bytes: Uint8Array,
    /** Of a chaincode event; else empty. */
    readonly chaincodeID = '',
    readonly eventName = '',
  ) {}

  get id(): string {
    return positionText(this.position)
  }

  get kind(): EventKind {
    return this.position.kind
  }

  /** `weft.PositionedEvent`, for consumers that replay. */
  get positioned(): Uint8Array {
    return (this.withPosition ??= positionedEventBytes(this.bytes, this.id))
  }
}

/** Which kinds of events somebody wants at all. */
export interface WantedKinds {
  readonly wantsRejections: boolean
  readonly wantsBlocks: boolean
  readonly wantsChaincode: boolean
}

/** All events of one block, made when the first consumer asks for them. */
export class BlockEvents {
  private rejected: readonly HubEvent[] | undefined
  private own: HubEvent | undefined
  private fromChaincode: readonly HubEvent[] | undefined

  constructor(
    readonly number: Height,
    /** As stored. */
    private readonly bytes: Uint8Array,
    /** What was executed for it here; empty for a block that was read from the ledger, or that a transfer brought. */
    private readonly executed: readonly ExecutedTransaction[] = [],
  ) {}

  /** False for a block that came ready-made: v0.6 announces it without its chaincode events (spec/node.md §7). */
  get isExecuted(): boolean {
    return this.executed.length > 0
  }

  /** What it keeps in memory before anything is made of it, in bytes. */
  get size(): number {
    let size = this.bytes.length
    for (const { bytes, result } of this.executed) if (result.error !== undefined) size += bytes.length
    return size
  }

  /** The wanted events in the order in which they are sent. */
  inOrder(wanted: WantedKinds): HubEvent[] {
    const events: HubEvent[] = []
    if (wanted.wantsRejections) events.push(...this.rejections)
    if (wanted.wantsBlocks) events.push(this.block)
    if (wanted.wantsChaincode) events.push(...this.chaincodeEvents)
    return events
  }

  get block(): HubEvent {
    return (this.own ??= new HubEvent({ block: this.number, kind: 'block', index: 0 }, blockEventBytes(publicBlock(this.bytes))))
  }

  get rejections(): readonly HubEvent[] {
    return (this.rejected ??= this.executed.flatMap(({ bytes, result }, index) =>
      result.error === undefined ? [] : [new HubEvent({ block: this.number, kind: 'rejection', index }, rejectionEventBytes(bytes, result.error))],
    ))
  }

  get chaincodeEvents(): readonly HubEvent[] {
    return (this.fromChaincode ??= blockChaincodeEvents(this.bytes).flatMap((event, index) => {
      const { chaincodeID, eventName } = chaincodeEventNames(event)
      if (chaincodeID === '') return []
      return [new HubEvent({ block: this.number, kind: 'chaincode', index }, chaincodeEventBytes(event), chaincodeID, eventName)]
    }))
  }
}
