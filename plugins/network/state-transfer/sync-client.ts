import { type Clock, PeerError } from '../../../kernel/index.js'
import {
  decode,
  decodeSyncBlocks,
  encode,
  type Message,
  Message_Type,
  SyncBlockRange,
  SyncStateDeltas,
  SyncStateDeltasRequest,
  SyncStateSnapshot,
  SyncStateSnapshotRequest,
} from '../../../proto/index.js'
import type { Link } from '../link.js'
import { Replies } from './replies.js'

/** One block of a reply, its number as the range says. */
export interface BlockReply {
  readonly number: bigint
  /** Canonical, with nonHashData; memory of its own. */
  readonly bytes: Uint8Array
}

/** One delta of a reply. */
export interface DeltaReply {
  readonly number: bigint
  readonly delta: Uint8Array
}

/** Of a snapshot from a Weft peer that has no world state: no chain has a block of this number. */
export const NO_STATE = 0xffff_ffff_ffff_ffffn

/** One piece of a snapshot; an empty delta is its end. */
export interface SnapshotReply {
  readonly delta: Uint8Array
  readonly sequence: bigint
  readonly block: bigint
}

interface Correlated<T> {
  id: bigint
  replies: Replies<T> | undefined
}

interface Conversation {
  readonly blocks: Correlated<BlockReply>
  readonly deltas: Correlated<DeltaReply>
  readonly snapshot: Correlated<SnapshotReply>
}

export interface SyncClientOptions {
  readonly clock: Clock
  /** `peer.sync.state.snapshot.channelSize` */
  readonly snapshotChannelSize: number
}

/** Asks neighbours for blocks and state. One request of a kind per neighbour is open; its number is in the replies, which else are dropped (spec/ledger.md §13.2). */
export class SyncClient {
  private readonly conversations = new Map<Link, Conversation>()

  constructor(private readonly options: SyncClientOptions) {}

  /** Blocks `start` to `end`, both included, down if `start` is above `end`. Throws ERR_SYNC_ENDED if the link is closed. */
  blocks(link: Link, start: bigint, end: bigint): Replies<BlockReply> {
    const kind = this.conversation(link).blocks
    const count = Number(start > end ? start - end : end - start) + 1
    const replies = this.open(link, kind, Number.POSITIVE_INFINITY, count)
    this.send(link, kind, Message_Type.SYNC_GET_BLOCKS, encode(SyncBlockRange, { correlationId: kind.id, start, end }))
    return replies
  }

  /** State deltas of the blocks `start` to `end`, upwards. An original never ends serving a range that goes down to 0: such a range is not asked for. */
  deltas(link: Link, start: bigint, end: bigint): Replies<DeltaReply> {
    const kind = this.conversation(link).deltas
    const count = Number(end - start) + 1
    const replies = this.open(link, kind, Number.POSITIVE_INFINITY, count)
    this.send(link, kind, Message_Type.SYNC_STATE_GET_DELTAS, encode(SyncStateDeltasRequest, { range: { correlationId: kind.id, start, end } }))
    return replies
  }

  /** Nobody waits for deltas of this neighbour any more. */
  endDeltas(link: Link): void {
    this.conversations.get(link)?.deltas.replies?.fail('no more is needed')
  }

  snapshot(link: Link): Replies<SnapshotReply> {
    const kind = this.conversation(link).snapshot
    const replies = this.open(link, kind, this.options.snapshotChannelSize, Number.POSITIVE_INFINITY)
    this.send(link, kind, Message_Type.SYNC_STATE_GET_SNAPSHOT, encode(SyncStateSnapshotRequest, { correlationId: kind.id }))
    return replies
  }

  /** Takes a reply. Throws WireError for one that cannot be read; one that nobody waits for is dropped. */
  received(link: Link, message: Message): void {
    const conversation = this.conversations.get(link)
    if (conversation === undefined) return
    if (message.type === Message_Type.SYNC_BLOCKS) receiveBlocks(conversation.blocks, message.payload)
    else if (message.type === Message_Type.SYNC_STATE_DELTAS) receiveDeltas(conversation.deltas, message.payload)
    else if (message.type === Message_Type.SYNC_STATE_SNAPSHOT) receiveSnapshot(conversation.snapshot, message.payload)
  }

  closed(link: Link): void {
    this.end(link, 'the link ended')
    this.conversations.delete(link)
  }

  /** Ends every open request. */
  endAll(reason: string): void {
    for (const link of this.conversations.keys()) this.end(link, reason)
  }

  private end(link: Link, reason: string): void {
    const conversation = this.conversations.get(link)
    if (conversation === undefined) return
    conversation.blocks.replies?.fail(reason)
    conversation.deltas.replies?.fail(reason)
    conversation.snapshot.replies?.fail(reason)
  }

  private conversation(link: Link): Conversation {
    if (link.isClosed) throw new PeerError('ERR_SYNC_ENDED', 'the link ended', { retryable: true })
    let conversation = this.conversations.get(link)
    if (conversation === undefined) {
      // As in v0.6: 1 at first, raised before each request, so that the first one has 2.
      conversation = { blocks: { id: 1n, replies: undefined }, deltas: { id: 1n, replies: undefined }, snapshot: { id: 1n, replies: undefined } }
      this.conversations.set(link, conversation)
    }
    return conversation
  }

  private open<T>(link: Link, kind: Correlated<T>, maxWaiting: number, maxReplies: number): Replies<T> {
    kind.replies?.fail('another request took its place')
    kind.id++
    const replies = new Replies<T>({ link, clock: this.options.clock, maxWaiting, maxReplies })
    kind.replies = replies
    return replies
  }

  private send<T>(link: Link, kind: Correlated<T>, type: Message_Type, payload: Uint8Array): void {
    if (!link.send('control', type, payload)) kind.replies?.fail('the request cannot be sent: too much waits for this neighbour')
  }
}

function receiveBlocks({ id, replies }: Correlated<BlockReply>, payload: Uint8Array): void {
  const { range, blocks } = decodeSyncBlocks(payload)
  if (replies === undefined || range === undefined || range.correlationId !== id) return
  if (blocks.length === 0) return replies.fail(`it does not have block ${range.start}`)
  const step = range.start >= range.end ? -1n : 1n
  for (const [index, bytes] of blocks.entries()) replies.push({ number: range.start + step * BigInt(index), bytes: bytes.slice() }, bytes.length)
}

function receiveDeltas({ id, replies }: Correlated<DeltaReply>, payload: Uint8Array): void {
  const { range, deltas } = decode(SyncStateDeltas, payload)
  if (replies === undefined || range === undefined || range.correlationId !== id) return
  if (deltas.length === 0) return replies.fail(`it does not have the delta of block ${range.start}`)
  for (const [index, delta] of deltas.entries()) replies.push({ number: range.start + BigInt(index), delta: delta.slice() }, delta.length)
}

function receiveSnapshot({ id, replies }: Correlated<SnapshotReply>, payload: Uint8Array): void {
  const { delta, sequence, blockNumber, request } = decode(SyncStateSnapshot, payload)
  if (replies === undefined || request?.correlationId !== id) return
  replies.push({ delta: delta.slice(), sequence, block: blockNumber }, delta.length + 64)
}
