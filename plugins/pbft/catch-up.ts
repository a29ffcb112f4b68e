import type { pbft } from '../../proto/index.js'
import type { MemberIndex, TransferResult } from '../consensus/index.js'
import { moveWatermarks, takeCheckpoint } from './checkpoints.js'
import { advance, canExecuteTo } from './execution.js'
import { toBatch } from './messages.js'
import { currentNewView, fetchMissing, processNewView } from './new-view.js'
import { addBatch } from './ordering.js'
import { latestCheckpoint } from './records.js'
import type { Replica, Slot } from './replica.js'
import { onBlocksCame, repeatRequests, repeatStale, resubmit } from './requests.js'
import { hasUnreachedTarget, retryTransfer, startTransfer } from './transfer.js'
import { closeView } from './view-change.js'

// What v0.6 lacks (spec/consensus.md §15 W10, W14, W26, W34, W36), with v0.6's own messages: what was lost is said again, and a replica that is behind learns it.
// A checkpoint that is said again asks for help; the answer is the commits for later numbers, which prove what was decided; contents are fetched.

/** A member is helped at most this often. */
const HELP_EVERY_MS = 200
/** An idle replica asks one other, in turn, after this many ticks without progress whether it is behind. */
const IDLE_TICKS = 5
const MAX_FETCH_DELAY_MS = 100

/** A state transfer has ended (§8.6). */
export function onTransferred(r: Replica, result: TransferResult): void {
  const { transferring: target } = r
  if (!target) return
  r.transferring = undefined
  r.failed = result.reached ? undefined : target
  const isNews = target.n > r.lastExec
  if (result.reached) {
    r.lastExec = target.n
    // The time until now was spent on this, and says nothing of the primary; what is decided beyond a gap does.
    const hasGap = [...r.slots.values()].some(({ n, committed }) => committed !== undefined && !canExecuteTo(r, n))
    if (r.isActive && !hasGap) r.timers.stop('newView')
    onBlocksCame(r, result.executed)
  } else r.log('warning', `the state of number ${target.n} could not be transferred: ${result.reason}`)
  if (!result.reached || target.n < r.h) {
    // Without a higher target the tick tries again.
    if (r.target && target.n < r.target.n) retryTransfer(r)
    return
  }
  // The own head, at the start, is vouched for by nobody else: what was voted for up to it may be needed by those who are behind.
  // Between checkpoints nothing is dropped: without an own checkpoint at the watermark, no view change of this replica would hold one to begin from.
  const isCheckpoint = target.n % r.K === 0
  if (isNews && isCheckpoint) moveWatermarks(r, target.n, r.floor)
  r.isOutOfDate = false
  r.host.setValid(true)
  if (isCheckpoint) takeCheckpoint(r, target.n, target.id)
  advance(r)
  processNewView(r)
  resubmit(r)
}

/** A link came or went: what the member may have missed is said again. */
export function onPeer(r: Replica, member: MemberIndex, up: boolean): void {
  if (!up) return void r.down.set(member, r.host.now)
  const downSinceMs = r.down.get(member) ?? 0
  r.down.delete(member)
  probe(r, member)
  repeatProgress(r, member)
  repeatViews(r, member)
  repeatRequests(r, member, downSinceMs)
}

/** A member said a checkpoint again, or one that is long past: it may be behind. */
export function help(r: Replica, member: MemberIndex, n: number): void {
  if (r.host.now - (r.helpedAt.get(member) ?? Number.NEGATIVE_INFINITY) < HELP_EVERY_MS) return
  r.helpedAt.set(member, r.host.now)
  const latest = latestCheckpoint(r)
  if (latest && latest[0] > n) r.sayCheckpoint(...latest, member)
  // Where votes are too few to prove what was decided, as that of one who has left the view, f + 1 equal states are enough, also between checkpoints.
  const state = r.lastExec > n && !r.checkpoints.has(r.lastExec) ? r.state : undefined
  if (state) r.sayCheckpoint(...state, member)
  for (const slot of [...r.slots.values()].sort((left, right) => left.n - right.n)) {
    if (slot.n > r.executedTo) sayProgress(r, slot, member)
    if (slot.n > n) sayCommit(r, slot, member)
  }
  repeatViews(r, member)
}

/** From time to time: if nothing moves although something should, asks, repeats, fetches and transfers. */
export function onTick(r: Replica): void {
  r.timers.set('tick', r.options.requestMs / 2)
  const progress = [r.view, r.isActive, r.lastExec, r.h].join(' ')
  r.idleTicks = progress === r.progress ? r.idleTicks + 1 : 0
  r.progress = progress
  if (r.idleTicks === 0 || r.currentExec !== undefined || r.transferring) return
  if (!r.isActive) fetchMissing(r)
  if (hasUnreachedTarget(r)) startTransfer(r, r.target)
  else if (r.book.hasUnqueued || !r.isActive || r.isOutOfDate || [...r.slots.keys()].some((n) => n > r.executedTo)) {
    probe(r)
    repeatProgress(r)
    repeatStale(r)
  } else if (r.idleTicks % IDLE_TICKS === 0) {
    const others = r.host.members.map(({ index }) => index).filter((index) => index !== r.self && !r.down.has(index))
    probe(r, others[(r.idleTicks / IDLE_TICKS) % others.length])
  }
}

/** A decided batch is not here. It may be under way. */
export function wantBatch(r: Replica, digest: string): void {
  if (!r.wanted.has(digest)) r.wanted.set(digest, 0)
  r.timers.softStart('fetch', Math.min(MAX_FETCH_DELAY_MS, r.options.requestMs / 10))
}

/** Asks those who committed the wanted batches for them, one after the other. */
export function fetchWanted(r: Replica): void {
  for (const [batchDigest, attempt] of r.wanted) {
    const slot = [...r.slots.values()].find(({ committed }) => committed === batchDigest)
    const holders = [...(slot?.commits ?? [])].filter(([member, vote]) => member !== r.self && vote.digest === batchDigest)
    const [holder] = holders[attempt % Math.max(1, holders.length)] ?? []
    if (holder === undefined || r.batches.has(batchDigest)) r.wanted.delete(batchDigest)
    else {
      r.say({ $case: 'fetchRequestBatch', value: { batchDigest, replicaId: r.self } }, undefined, holder)
      r.wanted.set(batchDigest, attempt + 1)
    }
  }
  if (r.wanted.size > 0) r.timers.set('fetch', r.options.requestMs / 4)
}

/** Answers who asks for a batch (§9.10). Who asks for more than anybody needs is to ask another member. */
export function onFetch(r: Replica, from: MemberIndex, { batchDigest }: pbft.FetchRequestBatch): void {
  const batch = r.batches.get(batchDigest)
  if (batch && r.answers.take(from, batch.bytes.length)) r.say({ $case: 'returnRequestBatch', value: batch.message }, undefined, from)
}

export function onReturned(r: Replica, message: pbft.RequestBatch): void {
  if (r.wanted.size + r.missing.size === 0) return
  const batch = toBatch(message)
  const isWanted = r.wanted.delete(batch.digest)
  const isMissing = r.missing.delete(batch.digest)
  if (!isWanted && !isMissing) return
  addBatch(r, batch)
  if (isMissing) processNewView(r)
  advance(r)
}

/** A member was seen in a view. */
export function onSeen(r: Replica, member: MemberIndex, view: number): void {
  if (view <= (r.seenIn.get(member) ?? -1)) return
  r.seenIn.set(member, view)
  if (view > r.view) followOthers(r)
}

/**
 * Goes to a later view that f + 1 members are seen in, by its new view: after a restart or a partition, without waiting for the next view change
 * (§15 W14). Its view changes prove that a quorum went there.
 */
export function followOthers(r: Replica): void {
  const certain = [...r.seenIn.values()].sort((left, right) => right - left)[r.quorums.f] ?? 0
  for (const { view } of r.newViews.values()) {
    if (view <= r.view || view > certain) continue
    r.log('info', `following the others to view ${view}`)
    closeView(r, view)
    r.timers.stop('vcResend')
    r.timers.set('newView', r.newViewMs)
  }
  processNewView(r)
}

/** Says the own latest checkpoint again, which asks whoever is further for help. */
function probe(r: Replica, to?: MemberIndex): void {
  const latest = latestCheckpoint(r)
  if (latest) r.sayCheckpoint(...latest, to)
}

function repeatProgress(r: Replica, to?: MemberIndex): void {
  for (const slot of r.slots.values()) {
    if (slot.n <= r.executedTo) continue
    sayProgress(r, slot, to)
    sayCommit(r, slot, to)
  }
}

/** Own proposal or vote for a number that is not decided. */
function sayProgress(r: Replica, { n, proposal, isPrepareSent }: Slot, to?: MemberIndex): void {
  if (!r.isActive || proposal === undefined) return
  if (r.isPrimary) r.sayVote('prePrepare', r.view, n, proposal, to)
  else if (isPrepareSent) r.sayVote('prepare', r.view, n, proposal, to)
}

function sayCommit(r: Replica, { n, commits }: Slot, to?: MemberIndex): void {
  const own = commits.get(r.self)
  if (own) r.sayVote('commit', own.view, n, own.digest, to)
}

/** The own view change, or as primary the new view. */
function repeatViews(r: Replica, to: MemberIndex): void {
  const viewChange = r.isActive ? undefined : r.viewChanges.get(r.self)?.get(r.view)
  if (viewChange) r.say({ $case: 'viewChange', value: viewChange }, undefined, to)
  const newView = r.isPrimary ? currentNewView(r) : undefined
  if (newView) r.say({ $case: 'newView', value: newView }, undefined, to)
}
