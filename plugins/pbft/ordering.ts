import type { pbft } from '../../proto/index.js'
import type { MemberIndex } from '../consensus/index.js'
import { addPrepare, calcP, calcQ, isPrepared } from './certificates.js'
import { acceptCommit, advance } from './execution.js'
import { type Batch, toBatch } from './messages.js'
import { saveSet } from './records.js'
import type { Replica, Slot } from './replica.js'
import { isRepeated } from './requests.js'

/** Batches that are kept at a time: a primary that fills more is left in the end (§15 W28). */
const MAX_LOG_BYTES = 512 * 1024 * 1024

/** A batch that was cut here, or that waits for room (spec/consensus.md §7.1). */
export function orderBatch(r: Replica, batch: Batch): void {
  addBatch(r, batch)
  if (!r.isActive) return
  r.timers.softStart('newView', r.options.requestMs)
  if (!r.isPrimary) return
  r.timers.stop('nullRequest')
  if (!propose(r, batch)) r.waiting.push(batch)
}

export function proposeWaiting(r: Replica): void {
  const { waiting } = r
  r.waiting = []
  for (const batch of waiting) orderBatch(r, batch)
}

/** Proposes a batch, or nothing to show that the primary lives, at the next number (§7.2). False: there is no room, or it is not this replica's turn. */
export function propose(r: Replica, batch?: Batch): boolean {
  // A transfer moves these ahead of the numbers assigned (§15 W15).
  for (const least of [r.lastExec, r.h]) if (r.seqNo < least) r.seqNo = least
  const n = r.seqNo + 1
  if (!r.isActive || !r.isPrimary || r.isOutOfDate || r.isSealed || n > r.h + r.half || n > r.rotateAfter) return false
  r.seqNo = n
  const slot = r.slotAt(n)
  slot.proposal = batch?.digest ?? ''
  saveSet(r, 'qset', calcQ(r))
  r.sayVote('prePrepare', r.view, n, slot.proposal)
  tryCommit(r, slot)
  return true
}

/** The primary's proposal (§7.3). */
export function onPrePrepare(r: Replica, from: MemberIndex, message: pbft.PrePrepare): void {
  const { view, sequenceNumber: n, batchDigest: digest } = message
  if (from !== r.primaryOf(view) || from === r.self || !r.isInWindow(n)) return
  const batch = batchOf(r, message)
  if (!hasRoomFor(r, batch)) return r.log('warning', `the log has no room for the pre-prepare of number ${n}`)
  if (!batch && digest !== '') return r.log('warning', `the pre-prepare of number ${n} from replica ${from} does not hold the batch that its digest names`)
  if (view !== r.view || !r.isActive || n <= r.base) return offer(r, message, batch)
  if (n > r.rotateAfter) return r.rules.leaveView(r, r.view + 1)
  const slot = r.slotAt(n)
  // Also a null request is a proposal (§15 W13).
  if ((slot.proposal ?? digest) !== digest || (slot.committed ?? digest) !== digest) {
    r.log('warning', `replica ${from}, the primary of view ${view}, proposes two batches for number ${n}`)
    return r.rules.leaveView(r, r.view + 1)
  }
  if (batch) addBatch(r, batch)
  if (slot.proposal === undefined) slot.isRefused = batch !== undefined && isUnwanted(r, n, batch)
  slot.proposal = digest
  if (slot.committed === undefined) r.timers.softStart('newView', r.options.requestMs)
  r.timers.stop('nullRequest')
  if (slot.isRefused) {
    r.log('warning', `no vote for number ${n}: its batch is empty or repeats a transaction`)
    tryCommit(r, slot)
  } else if (!slot.isPrepareSent) {
    saveSet(r, 'qset', calcQ(r))
    prepare(r, slot, digest)
  }
  advance(r)
}

/** A backup's prepare (§7.4); kept also while the view is being entered. */
export function onPrepare(r: Replica, from: MemberIndex, { view, sequenceNumber: n, batchDigest }: pbft.Prepare): void {
  if (view === r.view && from !== r.primaryOf(view) && r.isInWindow(n)) acceptPrepare(r, from, r.slotAt(n), batchDigest)
}

/** Counts the own prepare and sends it. */
export function prepare(r: Replica, slot: Slot, digest: string): void {
  slot.isPrepareSent = true
  acceptPrepare(r, r.self, slot, digest)
  r.sayVote('prepare', r.view, slot.n, digest)
}

/** Commits what is prepared. */
export function tryCommit(r: Replica, slot: Slot): void {
  const { n, proposal } = slot
  if (proposal === undefined || slot.isCommitSent || !isPrepared(r, slot)) return
  slot.isCommitSent = true
  const { view } = r
  acceptCommit(r, r.self, n, view, proposal)
  r.sayVote('commit', view, n, proposal)
}

/** Proposals for this view that came before it was entered (§15 W40). */
export function replayOffered(r: Replica): void {
  for (const slot of r.slots.values()) {
    const { offered } = slot
    if (offered?.message.view !== r.view) continue
    slot.offered = undefined
    onPrePrepare(r, r.primaryOf(r.view), offered.message)
  }
}

export function addBatch(r: Replica, batch: Batch): void {
  if (r.batches.has(batch.digest)) return
  r.batches.set(batch.digest, batch)
  r.host.put(`reqBatch.${batch.digest}`, batch.bytes)
}

function acceptPrepare(r: Replica, from: MemberIndex, slot: Slot, digest: string): void {
  const { isPrepared: wasPrepared } = slot
  if (!addPrepare(slot, from, digest)) return
  if ((isPrepared(r, slot) && !wasPrepared) || r.isPsetStale) saveSet(r, 'pset', calcP(r))
  r.isPsetStale = false
  tryCommit(r, slot)
}

/** The batch that a message names, if it is known or comes with it and is what its digest says; looked at before anything is stored (§15 W29). */
function batchOf(r: Replica, { batchDigest, requestBatch }: pbft.PrePrepare): Batch | undefined {
  const batch = r.batches.get(batchDigest) ?? (requestBatch && toBatch(requestBatch, r.known))
  return batch?.digest === batchDigest ? batch : undefined
}

/**
 * A proposal for a view that this replica is not in gets no vote before that is entered, but its batch may be needed: who is alone in a view follows the
 * others (§15 W14, W36). One is kept: that of the view being entered, or else of the highest.
 */
function offer(r: Replica, message: pbft.PrePrepare, batch: Batch | undefined): void {
  const slot = r.slotAt(message.sequenceNumber)
  const rankOf = (view: number): number => (view === r.view ? Number.POSITIVE_INFINITY : view)
  if (slot.offered && rankOf(slot.offered.message.view) > rankOf(message.view)) return
  slot.offered = { message: { ...message, requestBatch: batch?.message }, batch }
  if (batch && slot.committed === batch.digest) advance(r)
}

function hasRoomFor(r: Replica, batch: Batch | undefined): boolean {
  let bytes = sizeOf(batch)
  for (const kept of r.batches.values()) bytes += sizeOf(kept)
  for (const { offered } of r.slots.values()) bytes += sizeOf(offered?.batch)
  return bytes <= MAX_LOG_BYTES
}

const sizeOf = (batch: Batch | undefined): number => batch?.bytes.length ?? 0

/** A new proposal is not voted for if it is empty or repeats something (§15 W18, W42); the votes of the others decide. */
function isUnwanted(r: Replica, n: number, batch: Batch): boolean {
  return n > r.executedTo && (batch.message.batch.length === 0 || isRepeated(r, batch, n))
}
