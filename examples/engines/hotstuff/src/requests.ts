import { createRequestBook, detached, type EngineHost, type EngineRequest, type MemberIndex, type RequestBook, type RequestId } from 'weft/consensus'
import type { Block } from './block.js'
import { encode } from './messages.js'
import type { HotStuffOptions } from './options.js'

const MAX_PER_MEMBER = 100_000
/** Bytes of a block's requests, at most, unless it is a single one. */
export const MAX_BLOCK_BYTES = 4 * 1024 * 1024
/** Requests said again at a time. */
const MAX_REPEATED = 500
/** What another member's owner does not repeat for so many time-outs is nobody's any more. */
const LONGEST_WAIT = 16

interface Content extends EngineRequest {
  readonly arrivedAt: number
  saidAt: number
}

/** Requests that wait. Their owner sends them to the leader, and to everybody if that does not help; then all see to it that the leader orders them. */
export class Requests {
  readonly book: RequestBook<Content>
  /** Those in the blocks between the last decided one and `tip`. */
  inBranch = new Set<RequestId>()
  #tip = ''
  #cutAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly host: EngineHost,
    private readonly options: HotStuffOptions,
    executed: readonly RequestId[] | undefined,
  ) {
    this.book = createRequestBook({ maxPerMember: MAX_PER_MEMBER, bytesOf: ({ bytes }) => bytes.length, executed })
  }

  add({ id, bytes }: EngineRequest, from: MemberIndex): void {
    const content = { id, bytes: detached(bytes), arrivedAt: this.host.now, saidAt: this.host.now }
    const isAdded = this.book.add({ id, from, isOwn: from === this.host.self, isQueued: this.inBranch.has(id), content })
    if (!isAdded) this.host.log('warning', `member ${from} has too many requests waiting: one is dropped`)
  }

  /** It was executed; if it was rejected it is in no block, and may be ordered again. */
  settle({ requests }: Block, rejected: readonly RequestId[] | undefined): void {
    for (const { id } of requests) this.inBranch.delete(id)
    this.book.settle(requests, rejected)
  }

  /** What follows extends `tip`: requests that are in no block up to there wait again. */
  rebase(tip: string, blocks: () => readonly Block[]): void {
    if (tip === this.#tip) return
    this.#tip = tip
    this.inBranch = new Set(blocks().flatMap(({ requests }) => requests.map(({ id }) => id)))
    this.book.requeue((id) => this.inBranch.has(id))
  }

  /** A block extends the tip. */
  extend({ id: tip, requests }: Block): void {
    this.#tip = tip
    for (const { id } of requests) {
      this.inBranch.add(id)
      const known = this.book.get(id)
      if (known) this.book.markQueued(known)
    }
  }

  /** What the next block holds. Nothing yet, but the time until then, if it had better wait: a busy leader, or while requests arrive together. */
  cut(isGathering: boolean): { readonly requests: readonly EngineRequest[]; readonly waitMs?: number } {
    const { batchSize, batchMs } = this.options
    const waiting = this.book.size - this.book.queuedCount
    const waitMs = Math.max(0, this.#cutAt + batchMs - this.host.now)
    if (waiting === 0) return { requests: [] }
    if (waiting < batchSize && (waitMs > 0 || isGathering)) return { requests: [], waitMs }
    this.#cutAt = this.host.now
    return { requests: this.book.first(batchSize, MAX_BLOCK_BYTES).map(({ id, bytes }) => ({ id, bytes })) }
  }

  /** Tells a new or returned leader everything that is open here. */
  tell(leader: MemberIndex): void {
    if (leader !== this.host.self) for (const { content } of this.book.own()) this.host.send(leader, encode({ type: 'requests', requests: [content] }))
  }

  /** From time to time: what waits too long for its block is said again, the own to everybody. */
  repeat(leader: MemberIndex): void {
    const { now, self } = this.host
    const { viewTimeoutMs } = this.options
    const own: EngineRequest[] = []
    const others: EngineRequest[] = []
    for (const { id, isOwn, isQueued, content } of this.book.all()) {
      const { arrivedAt, saidAt } = content
      if (!isOwn && leader !== self && now - arrivedAt > LONGEST_WAIT * viewTimeoutMs) this.book.remove(id)
      if (now - saidAt < viewTimeoutMs * (isQueued ? 2 : 0.5) || own.length + others.length >= MAX_REPEATED) continue
      content.saidAt = now
      if (isOwn) own.push(content)
      else if (leader !== self) others.push(content)
    }
    if (own.length > 0) this.host.broadcast(encode({ type: 'requests', requests: own }))
    if (others.length > 0) this.host.send(leader, encode({ type: 'requests', requests: others }))
  }

  /** Blocks came by a transfer: the own requests are said again by the host, of others' only those stay that are surely not in the blocks. */
  transferred(executed: readonly RequestId[] | undefined): void {
    this.book.transferred(executed)
    this.#tip = ''
    this.inBranch.clear()
  }
}
