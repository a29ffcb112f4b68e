import type { pbft } from '../../proto/index.js'
import type { MemberIndex } from '../consensus/index.js'
import { calcP, calcQ } from './certificates.js'
import { moveWatermarks } from './checkpoints.js'
import { NOTHING, signedBytes } from './messages.js'
import { processNewView, sendNewView, viewChangesFor } from './new-view.js'
import { byNumber, byNumberAndDigest, saveView } from './records.js'
import type { Replica } from './replica.js'
import { isModest, isCorrect } from './selection.js'

/** The view changes of each member that are kept: the lowest ones and the highest (§15 W28). */
const MAX_KEPT = 4
/** T_nv is doubled for every failed view up to this multiple (§15 W37). */
const MAX_DOUBLINGS = 64

/** Leaves for a later view (spec/consensus.md §9.1): nothing is voted for in this one any more. */
export function leaveView(r: Replica, view: number): void {
  r.timers.stop('newView')
  closeView(r, view)
  r.host.metric('pbft_view_changes_total', ++r.changes)
  r.log('info', `leaving for view ${view}, whose primary is replica ${r.primaryOf(view)}`)
  askToSign(r)
}

/** Keeps what was prepared and pre-prepared, and what others committed, of the view that ends. */
export function closeView(r: Replica, view: number): void {
  r.pset = byNumber(calcP(r))
  r.qset = byNumberAndDigest(calcQ(r))
  for (const slot of r.slots.values()) {
    slot.proposal = undefined
    slot.isRefused = slot.isPrepareSent = slot.isPrepared = slot.isCommitSent = false
    slot.prepares = []
    if (slot.commits.size === 0 && !slot.offered) r.slots.delete(slot.n)
  }
  r.view = view
  r.isActive = false
  saveView(r)
  for (const changes of r.viewChanges.values()) for (const known of changes.keys()) if (known < view) changes.delete(known)
}

/** Signs the own view change, and sends it when that is done; also once more. */
export function askToSign(r: Replica): void {
  if (r.isActive) return
  // What it tells of has to fit into one window.
  const top = Math.max(r.lastExec, ...[...r.qset.values()].map(({ sequenceNumber }) => sequenceNumber))
  const fitting = [...r.checkpoints.keys()].filter((n) => top <= n + r.L)
  if (top > r.floor + r.L) moveWatermarks(r, Math.max(r.h, Math.min(r.lastExec, ...fitting)))
  // Where a view change has failed, votes may be too few to tell what was decided; f + 1 equal states are enough, also between checkpoints.
  const state = r.newViewMs > r.options.viewChangeMs ? r.state : undefined
  const states = new Map(state ? [state, ...r.checkpoints] : r.checkpoints)
  const viewChange: pbft.ViewChange = {
    view: r.view,
    h: r.floor,
    cset: [...states].map(([sequenceNumber, id]) => ({ sequenceNumber, id })).sort((left, right) => left.sequenceNumber - right.sequenceNumber),
    pset: [...r.pset.values()],
    qset: [...r.qset.values()],
    replicaId: r.self,
    signature: NOTHING,
  }
  r.signing = { token: `view change ${r.signatures++}`, viewChange }
  r.host.sign(r.signing.token, signedBytes(viewChange))
}

export function onSigned(r: Replica, token: string, signature: Uint8Array): void {
  const viewChange = r.signing?.token === token ? r.signing.viewChange : undefined
  if (!viewChange || r.isActive || viewChange.view !== r.view) return
  // With security off the host gives the bytes back: nothing is gained by sending them twice (§15 W6).
  const isCopy = Buffer.compare(signature, signedBytes(viewChange)) === 0
  const signed = { ...viewChange, signature: isCopy ? NOTHING : signature }
  r.say({ $case: 'viewChange', value: signed }, { slot: `view-change ${r.view}`, value: '' })
  r.timers.set('vcResend', r.options.resendMs)
  accept(r, r.self, signed)
}

/** A member's view change (§9.3). */
export function onViewChange(r: Replica, from: MemberIndex, viewChange: pbft.ViewChange): void {
  if (viewChange.view < r.view || r.viewChanges.get(from)?.has(viewChange.view) === true || !isCorrect(viewChange, r.L) || !isModest(viewChange)) return
  const { signature } = viewChange
  r.checks.check(from, [{ member: from, bytes: signedBytes(viewChange), signature }], (holds) => {
    if (holds) accept(r, from, viewChange)
    else r.log('warning', `the view change of replica ${from} is signed wrongly: dropped`)
  })
}

function accept(r: Replica, from: MemberIndex, viewChange: pbft.ViewChange): void {
  if (viewChange.view < r.view || !keep(r, from, viewChange) || joins(r)) return
  // Who went further has left the view before this one, too: its view change for this view may have been lost with a restart here.
  if (r.isActive || [...r.viewChanges.values()].filter(({ size }) => size > 0).length < r.quorums.viewChange) return
  r.timers.stop('vcResend')
  if (r.timedView !== r.view) {
    r.timedView = r.view
    r.timers.set('newView', r.newViewMs)
    r.newViewMs = Math.min(2 * r.newViewMs, MAX_DOUBLINGS * r.options.viewChangeMs)
  }
  if (!r.isPrimary) processNewView(r)
  else if (viewChangesFor(r, r.view).length >= r.quorums.viewChange) sendNewView(r)
}

/** Keeps a view change; false if it is known. */
function keep(r: Replica, from: MemberIndex, viewChange: pbft.ViewChange): boolean {
  const changes = r.viewChanges.get(from) ?? new Map<number, pbft.ViewChange>()
  r.viewChanges.set(from, changes)
  if (changes.has(viewChange.view)) return false
  changes.set(viewChange.view, viewChange)
  const views = [...changes.keys()].sort((left, right) => left - right)
  if (views.length > MAX_KEPT) changes.delete(views[MAX_KEPT - 1] ?? 0)
  return true
}

/** f + 1 members want to leave this view: one of them is right. Goes to the lowest view that they ask for. */
function joins(r: Replica): boolean {
  const ahead = [...r.viewChanges.values()].map((changes) => [...changes.keys()].filter((view) => view > r.view)).filter((views) => views.length > 0)
  if (ahead.length <= r.quorums.f) return false
  const lowest = ahead.flat().reduce((low, view) => (view < low ? view : low))
  leaveView(r, lowest)
  return true
}
