import { PeerError } from '../../kernel/index.js'
import { EventType, type Interest } from '../../proto/index.js'
import type { HubEvent, WantedKinds } from './block-events.js'

/** What a consumer wants to be told of. */
export interface EventFilter extends WantedKinds {
  /** How often an event is sent to this consumer. */
  count(event: HubEvent): number
}

/** What one stream has registered for (spec/node.md §7). */
export class Interests implements EventFilter {
  wantsRejections = false
  wantsBlocks = false
  private readonly names = new Map<string, Set<string>>()
  private chaincodes = 0

  get wantsChaincode(): boolean {
    return this.chaincodes > 0
  }

  get size(): number {
    return this.chaincodes + Number(this.wantsBlocks) + Number(this.wantsRejections)
  }

  /** Throws with the texts of v0.6, changing nothing. */
  add(interest: Interest): void {
    const wanted = wantedBy(interest)
    if (this.has(wanted)) throw refusal('handler exists for event type')
    this.set(wanted, true)
  }

  /** Throws as {@link add} does; also for what is not registered. */
  remove(interest: Interest): void {
    const wanted = wantedBy(interest)
    if (!this.has(wanted)) throw refusal('handler does not exist for event type')
    this.set(wanted, false)
  }

  /** A chaincode event is sent twice to whom registered for its name and for every name. */
  count({ position, chaincodeID, eventName }: HubEvent): number {
    if (position.kind === 'block') return Number(this.wantsBlocks)
    if (position.kind === 'rejection') return Number(this.wantsRejections)
    const names = this.names.get(chaincodeID)
    if (names === undefined) return 0
    return Number(names.has('')) + Number(eventName !== '' && names.has(eventName))
  }

  private has(wanted: Wanted): boolean {
    if (wanted === 'block') return this.wantsBlocks
    if (wanted === 'rejection') return this.wantsRejections
    return this.names.get(wanted.chaincodeID)?.has(wanted.eventName) ?? false
  }

  private set(wanted: Wanted, value: boolean): void {
    if (wanted === 'block') this.wantsBlocks = value
    else if (wanted === 'rejection') this.wantsRejections = value
    else {
      const names = this.names.get(wanted.chaincodeID) ?? new Set()
      if (value) names.add(wanted.eventName)
      else names.delete(wanted.eventName)
      if (names.size > 0) this.names.set(wanted.chaincodeID, names)
      else this.names.delete(wanted.chaincodeID)
      this.chaincodes += value ? 1 : -1
    }
  }
}

type Wanted = 'block' | 'rejection' | { readonly chaincodeID: string; readonly eventName: string }

function wantedBy({ eventType, RegInfo }: Interest): Wanted {
  switch (eventType) {
    case EventType.BLOCK:
      return 'block'
    case EventType.REJECTION:
      return 'rejection'
    case EventType.CHAINCODE:
      if (RegInfo === undefined) throw refusal('chaincode information not provided for registering')
      if (RegInfo.value.chaincodeID === '') throw refusal('chaincode ID not provided for registering')
      return RegInfo.value
    case EventType.REGISTER:
    default:
      throw refusal(`event type ${EventType[eventType] ?? String(eventType)} does not exist`)
  }
}

function refusal(text: string): PeerError {
  return new PeerError('ERR_EVENTS_INTEREST', text)
}
