import { encode, pbft } from '../../proto/index.js'
import type { DeliveredBlock, MemberIndex } from '../consensus/index.js'
import { isDecided } from './certificates.js'
import { takeCheckpoint } from './checkpoints.js'
import { savePosition } from './records.js'
import type { Replica, Slot } from './replica.js'
import { onExecuted, onExecuting, resubmit, startRequestTimer } from './requests.js'
import { retryTransfer } from './transfer.js'

/** A commit, also of a view that this replica is not in: a quorum of equal ones decides (spec/consensus.md §7.5, §15 W11, W14). */
export function acceptCommit(r: Replica, from: MemberIndex, n: number, view: number, digest: string): void {
  if (!r.isInWindow(n)) return
  const slot = r.slotAt(n)
  if ((slot.commits.get(from)?.view ?? -1) > view) return
  slot.commits.set(from, { view, digest })
  if (slot.committed !== undefined || !isDecided(r, slot, view, digest)) return
  slot.committed = digest
  onDecided(r, slot, view)
}

/** A member's commit message. */
export function onCommit(r: Replica, from: MemberIndex, { view, sequenceNumber, batchDigest }: pbft.Commit): void {
  acceptCommit(r, from, sequenceNumber, view, batchDigest)
  startRequestTimer(r)
}

/** Executes what is decided, in order and one at a time (§7.6, §13.1). */
export function advance(r: Replica): void {
  let isOver = false
  while (beginNext(r)) isOver = true
  if (isOver) r.rules.processNewView(r)
  startProgressTimer(r)
}

/** The block of the number in execution is committed, or it was skipped. */
export function onDelivered(r: Replica, tag: string, block: DeliveredBlock | 'skipped'): void {
  const { currentExec: n, delivering } = r
  if (n === undefined || tag !== String(n)) return r.log('warning', `delivery '${tag}' is answered, but ${n ?? 'none'} was expected`)
  r.delivering = undefined
  r.currentExec = undefined
  if (block !== 'skipped') {
    if (delivering) onExecuted(r, delivering, block.rejected ?? [])
    finish(r, n)
  }
  advance(r)
  if (r.isOutOfDate) retryTransfer(r)
  r.rules.processNewView(r)
  resubmit(r)
}

/** Whether every number up to this one is decided here, so that executing gets there. */
export function canExecuteTo(r: Replica, n: number): boolean {
  for (let next = r.executedTo + 1; next <= n; next++) if (r.slots.get(next)?.committed === undefined) return false
  return true
}

function onDecided(r: Replica, { n }: Slot, view: number): void {
  // What is decided beyond a gap is no progress: a primary may have left out a number.
  if ((r.isActive || view === r.view) && canExecuteTo(r, n)) {
    r.timers.stop('newView')
    r.newViewMs = r.options.viewChangeMs
  }
  advance(r)
  if (n === r.rotateAfter && r.isActive && view === r.view) r.rules.leaveView(r, r.view + 1)
}

/** Begins the next number, if it is decided and its content is here. True if it is over already: a null request makes no block. */
function beginNext(r: Replica): boolean {
  const n = r.lastExec + 1
  const slot = r.slots.get(n)
  const digest = slot?.committed
  if (digest === undefined || r.currentExec !== undefined || r.isOutOfDate || r.isSealed) return false
  if (digest === '') {
    finish(r, n)
    savePosition(r)
    return true
  }
  const batch = r.batches.get(digest) ?? (slot?.offered?.batch?.digest === digest ? slot.offered.batch : undefined)
  if (batch) deliver(r, n, batch)
  else r.rules.wantBatch(r, digest)
  return false
}

function deliver(r: Replica, n: number, batch: NonNullable<Replica['delivering']>): void {
  r.currentExec = n
  r.delivering = batch
  onExecuting(r, batch)
  // What is ordered twice in spite of everything, by way of two views, is the host's affair: originals execute it twice (§12.7).
  r.host.deliver(String(n), batch.requests, { metadata: encode(pbft.Metadata, { seqNo: n }) })
}

function finish(r: Replica, n: number): void {
  r.lastExec = n
  if (n % r.K === 0) takeCheckpoint(r, n, r.host.head.blob)
}

function startProgressTimer(r: Replica): void {
  const { nullRequestMs, requestMs } = r.options
  if (r.isOutOfDate || r.isSealed || r.currentExec !== undefined || !r.isActive) return
  let isUndecided = r.waiting.length > 0
  for (const slot of r.slots.values()) if (slot.committed === undefined && slot.proposal && slot.n > r.lastExec) isUndecided = true
  if (isUndecided) r.timers.softStart('newView', requestMs)
  else if (nullRequestMs > 0 && !r.timers.isRunning('newView')) r.timers.set('nullRequest', nullRequestMs + (r.isPrimary ? 0 : requestMs))
}
