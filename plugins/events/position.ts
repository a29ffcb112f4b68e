import { PeerError } from '../../kernel/index.js'
import type { Height } from '../ledger/index.js'

/** The order of the events of one block (spec/node.md §7). */
const PHASES = ['rejection', 'block', 'chaincode'] as const
export type EventKind = (typeof PHASES)[number]

/** The place of an event: events of one kind in a block are told apart by the index of their transaction among those executed for it. */
export interface EventPosition {
  readonly block: Height
  readonly kind: EventKind
  /** 0 for the block itself. */
  readonly index: number
}

/** An id such as `7` (block 7), `7.r0` (a rejection), `7.c2` (a chaincode event). */
export function positionText({ block, kind, index }: EventPosition): string {
  if (kind === 'block') return String(block)
  return `${block}.${kind === 'rejection' ? 'r' : 'c'}${index}`
}

/** Reads an id that {@link positionText} wrote. Throws ERR_EVENTS_POSITION; `where` names what held it. */
export function parsePosition(text: string, where: string): EventPosition {
  const [, block, kind, index = '0'] = /^(\d{1,20})(?:\.([rc])(\d{1,9}))?$/.exec(text) ?? []
  if (block === undefined) {
    throw invalid(`${where}: expected the id of an event, such as 7, 7.r0 or 7.c2, found ${JSON.stringify(text.slice(0, 100))}`)
  }
  return { block: heightOf(block, where), kind: kind === undefined ? 'block' : kind === 'r' ? 'rejection' : 'chaincode', index: Number(index) }
}

/** Reads a block number. Throws ERR_EVENTS_POSITION. */
export function parseBlockNumber(text: string, where: string): Height {
  if (!/^\d{1,20}$/.test(text)) throw invalid(`${where}: expected a block number, found ${JSON.stringify(text.slice(0, 100))}`)
  return heightOf(text, where)
}

/** Negative if `left` comes before `right`. */
export function comparePositions(left: EventPosition, right: EventPosition): number {
  if (left.block !== right.block) return left.block < right.block ? -1 : 1
  return PHASES.indexOf(left.kind) - PHASES.indexOf(right.kind) || left.index - right.index
}

function heightOf(digits: string, where: string): Height {
  const number = BigInt(digits)
  if (number >= 1n << 64n) throw invalid(`${where}: expected a block number below 2^64, found ${digits}`)
  return number
}

function invalid(message: string): PeerError {
  return new PeerError('ERR_EVENTS_POSITION', message, { grpcStatus: 3 })
}
