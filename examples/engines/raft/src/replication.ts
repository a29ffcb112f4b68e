import { inParts, type MemberIndex } from 'weft/consensus'
import { deliverCommitted } from './delivery.js'
import { type Entry, entryFor, type Message } from './messages.js'
import { contentsOf, type Progress, type Replica, sizeOf, type Waiting } from './replica.js'

/** Of one message, and of one entry. */
const MAX_BYTES = 4 * 1024 * 1024
/** Committed entries that a follower may have and not have delivered: a slow one is not flooded. */
const MAX_AHEAD = 64

/** A batch is cut: it enters the log, in parts if it is very large, and goes out. */
export function propose(r: Replica, batch: readonly Waiting[]): void {
  const parts = [...inParts(batch, { maxItems: batch.length, maxBytes: MAX_BYTES, bytesOf: sizeOf })]
  for (const part of parts) append(r, entryFor(r.term, contentsOf(part), part === parts.at(-1)))
}

/** The leader's next entry. */
export function append(r: Replica, entry: Entry): void {
  r.log.append(entry)
  for (const to of r.others) replicate(r, to)
  advance(r)
}

/** A message to every follower, also to those that have everything. */
export function beat(r: Replica): void {
  for (const to of r.others) replicate(r, to, true)
}

/**
 * Sends a follower what it has not been sent, without waiting for its answers. While it is not known where the logs part, only one message is on its way.
 * `isBeat`: something has to be sent.
 */
export function replicate(r: Replica, to: MemberIndex, isBeat = false): void {
  const p = r.progress[to]
  if (!p) return
  const isWaiting = p.isProbing && p.isAsked
  if (isWaiting && !isBeat) return
  if (p.next <= r.log.base.index) return offer(r, to, p)
  let isDue = isBeat
  for (;;) {
    const entries = isWaiting ? [] : r.log.from(p.next, roomFor(r, p), MAX_BYTES)
    if (entries.length === 0 && !isDue && !(p.isProbing && !p.isAsked)) return
    const before = { index: p.next - 1, term: r.log.termAt(p.next - 1) ?? 0 }
    r.send(to, { kind: 'append', term: r.term, before, commit: r.commit, entries })
    isDue = false
    if (p.isProbing) p.isAsked = true
    else p.next += entries.length
    if (p.isProbing || entries.length === 0) return
  }
}

/** So many entries more: none while a follower has many that are committed, and has not delivered them. */
function roomFor(r: Replica, { next, delivered = r.delivered }: Progress): number {
  return Math.max(0, MAX_AHEAD + delivered - Math.min(next - 1, r.commit))
}

/** The log does not reach back to what a follower needs: it is told of the own state, which others may have, too. */
function offer(r: Replica, to: MemberIndex, p: Progress): void {
  const term = r.log.termAt(r.delivered)
  if (term === undefined) return
  p.isProbing = true
  p.isAsked = true
  const members = r.others.filter((member) => member !== to && (r.progress[member]?.delivered ?? -1) >= r.delivered)
  const { height, hash } = r.host.head
  r.send(to, { kind: 'offer', term: r.term, offer: { at: { index: r.delivered, term }, height, hash, members: [r.self, ...members] } })
}

/** A follower answers. */
export function onAppended(r: Replica, from: MemberIndex, { isOk, before, index, delivered }: Message & { kind: 'appended' }): void {
  const p = r.progress[from]
  if (!p) return
  p.heardAt = r.host.now
  p.delivered = Math.max(p.delivered ?? 0, delivered)
  if (isOk) {
    p.match = Math.max(p.match, Math.min(index, r.log.last.index))
    p.next = p.isProbing ? p.match + 1 : Math.max(p.next, p.match + 1)
    p.isProbing = false
  } else {
    // An answer to what was sent before the place was found.
    const isOld = p.isProbing ? before !== p.next - 1 : before <= p.match
    if (isOld) return
    p.next = Math.max(p.match, Math.min(before - 1, index)) + 1
    p.isProbing = true
    p.isAsked = false
  }
  advance(r)
  replicate(r, from)
  tellSuccessor(r)
}

/**
 * What a majority has is committed, if it is of the own term: an older entry that a majority has may still be replaced. The own disk needs no waiting for:
 * a follower's answer proves that the entry left, and so that the own record is durable; alone, the block is written after the record.
 */
function advance(r: Replica): void {
  const matches = r.progress.map(({ match }, member) => (member === r.self ? r.log.last.index : match)).sort((a, b) => b - a)
  const replicated = matches[r.majority - 1] ?? 0
  if (replicated <= r.commit || r.log.termAt(replicated) !== r.term) return
  r.commit = replicated
  beat(r)
  deliverCommitted(r)
}

/** The successor has the whole log: it need not wait for its time-out. */
export function tellSuccessor(r: Replica): void {
  const { handOver } = r
  if (!handOver || handOver.isTold || r.progress[handOver.to]?.match !== r.log.last.index) return
  handOver.isTold = true
  r.send(handOver.to, { kind: 'hand-over', term: r.term })
}
