import { pbft } from '../../proto/index.js'
import type { MemberIndex } from '../consensus/index.js'
import { calcQ } from './certificates.js'
import { moveWatermarks } from './checkpoints.js'
import { advance, canExecuteTo } from './execution.js'
import { signedBytes } from './messages.js'
import { prepare, replayOffered, tryCommit } from './ordering.js'
import { rotationAfter, saveSet, saveView } from './records.js'
import type { Replica } from './replica.js'
import { onViewEntered } from './requests.js'
import { assignSequenceNumbers, isModest, type InitialCheckpoint, isCorrect, sameAssignment, selectInitialCheckpoint } from './selection.js'
import { learnTarget, startTransfer } from './transfer.js'

/** An honest original's V holds a few view changes of each replica; beyond this it is refused unread. */
const MAX_VSET_PER_MEMBER = 16

/** What a list of view changes leads to. */
interface Outcome {
  readonly base: InitialCheckpoint
  readonly xset: Map<number, string>
}

/** View changes for this very view, by replica. */
export function viewChangesFor(r: Replica, view: number): pbft.ViewChange[] {
  return [...r.viewChanges].sort(([left], [right]) => left - right).flatMap(([, changes]) => changes.get(view) ?? [])
}

/** The new view of the present view, if it is here. */
export function currentNewView(r: Replica): pbft.NewView | undefined {
  const newView = r.newViews.get(r.primaryOf(r.view))
  return newView?.view === r.view ? newView : undefined
}

/** As its primary, begins the view if a quorum has come to it (spec/consensus.md §9.4); otherwise waits for more. */
export function sendNewView(r: Replica): void {
  const vset = viewChangesFor(r, r.view)
  const found = currentNewView(r) ? undefined : outcomeOf(r, vset)
  if (!found) return
  const newView: pbft.NewView = { view: r.view, vset, xset: pbft.xsetEntries(found.xset), replicaId: r.self }
  saveView(r, newView)
  r.say({ $case: 'newView', value: newView }, { slot: `new-view ${r.view}`, value: '' })
  r.newViews.set(r.self, newView)
  processNewView(r)
}

/** A primary's new view (§9.7). */
export function onNewView(r: Replica, from: MemberIndex, newView: pbft.NewView): void {
  const { view, vset } = newView
  const isNews = (): boolean => view > (r.newViews.get(from)?.view ?? -1)
  if (view === 0 || view < r.view || !isNews() || from !== r.primaryOf(view) || vset.length > MAX_VSET_PER_MEMBER * r.quorums.N) return
  if (!isSound(r, newView)) {
    r.log('warning', `replica ${from} sent a new view ${view} without a quorum of correct view changes`)
    if (view === r.view && !r.isActive) r.rules.leaveView(r, view + 1)
    return
  }
  const items = vset.map((viewChange) => ({ member: viewChange.replicaId, bytes: signedBytes(viewChange), signature: viewChange.signature }))
  r.checks.check(from, items, (hold) => {
    if (!hold) return r.log('warning', `a view change in the new view of replica ${from} is signed wrongly: dropped`)
    if (isNews()) r.newViews.set(from, newView)
    r.rules.followOthers(r)
  })
}

/** Enters the view if its new view is here and right, its base can be reached and its batches are known (§9.8). */
export function processNewView(r: Replica): void {
  const newView = r.isActive ? undefined : currentNewView(r)
  if (!newView) return
  const found = outcomeLike(r, newView)
  if (!found) {
    r.log('warning', `the new view ${newView.view} does not follow from its view changes: moving on`)
    return r.rules.leaveView(r, r.view + 1)
  }
  const { base, xset } = found
  r.base = base.n
  if (r.executedTo < base.n && canExecuteTo(r, base.n)) return
  if (!reachBase(r, found)) return
  fetchContents(r, xset)
  if (r.missing.size === 0) enter(r, xset)
}

/** Asks everybody for the batches that the new view needs. */
export function fetchMissing(r: Replica): void {
  for (const batchDigest of r.missing) r.say({ $case: 'fetchRequestBatch', value: { batchDigest, replicaId: r.self } })
}

function outcomeOf({ quorums, L }: Replica, vset: readonly pbft.ViewChange[]): Outcome | undefined {
  const base = selectInitialCheckpoint(vset, quorums)
  const xset = base && assignSequenceNumbers(vset, base.n, L, quorums)
  return base && xset && { base, xset }
}

/** What a correct primary cannot have sent (§15 W7, W8): too few view changes for this view, wrong ones, or repetitions that count. */
function isSound({ quorums, L }: Replica, { view, vset }: pbft.NewView): boolean {
  const replicas = new Set(vset.filter((viewChange) => viewChange.view === view).map(({ replicaId }) => replicaId))
  const isGood = (viewChange: pbft.ViewChange): boolean => isCorrect(viewChange, L) && isModest(viewChange)
  return replicas.size >= quorums.viewChange && vset.every((change) => change.view >= view && change.replicaId < quorums.N && isGood(change))
}

/** The outcome, if it is that of the message and does not hang on view changes that are there twice or for other views (§15 W7). */
function outcomeLike(r: Replica, { view, vset, xset }: pbft.NewView): Outcome | undefined {
  const asSent = outcomeOf(r, vset)
  const distinct = new Map(vset.filter((change) => change.view === view).map((change) => [change.replicaId, change]))
  const filtered = distinct.size === vset.length ? asSent : outcomeOf(r, [...distinct.values()])
  if (!asSent || !filtered || asSent.base.n !== filtered.base.n || asSent.base.id !== filtered.base.id) return undefined
  return sameAssignment(asSent.xset, pbft.xsetMap(xset)) && sameAssignment(asSent.xset, filtered.xset) ? asSent : undefined
}

function reachBase(r: Replica, { base: { n, id, members }, xset }: Outcome): boolean {
  const x = n - (n % r.K)
  if (r.h < x) moveWatermarks(r, n, members.length < r.quorums.intersection ? r.floor : n)
  else if (votesAgain(r, xset)) r.h = Math.max(r.floor, x)
  if (r.executedTo >= n) return true
  const target = learnTarget(r, n, id, members)
  if (target) startTransfer(r, target)
  return target !== undefined
}

/** Whether it kept votes below its window, and can vote again with those who begin there: the others may have dropped the batches since. */
const votesAgain = (r: Replica, xset: Outcome['xset']): boolean =>
  [...r.qset.values()].some(({ sequenceNumber }) => sequenceNumber <= r.h) && [...xset].every(([n, digest]) => n > r.h || r.hasContent(digest))

/** What is missing is reckoned anew for each new view (§15 W10). */
function fetchContents(r: Replica, xset: ReadonlyMap<number, string>): void {
  const missing = [...xset].filter(([n, digest]) => n > r.h && !r.hasContent(digest)).map(([, digest]) => digest)
  const isNew = missing.some((digest) => !r.missing.has(digest))
  r.missing = new Set(missing)
  if (isNew) fetchMissing(r)
}

/** The view begins (§9.9). The new view is the pre-prepare of its numbers: the others prepare all of them, also executed ones. */
function enter(r: Replica, xset: ReadonlyMap<number, string>): void {
  for (const name of ['newView', 'nullRequest', 'vcResend'] as const) r.timers.stop(name)
  r.isActive = true
  saveView(r)
  const proposed = [...xset].filter(([n]) => n > r.h)
  for (const [n, digest] of proposed) r.slotAt(n).proposal = digest
  r.seqNo = proposed.at(-1)?.[0] ?? r.h
  if (proposed.length > 0) saveSet(r, 'qset', calcQ(r))
  r.rotateAfter = rotationAfter(r, r.seqNo)
  r.log('info', `view ${r.view} begins; its primary is replica ${r.primaryOf(r.view)}`)
  for (const [n, digest] of r.isPrimary ? proposed : xset) {
    if (n <= r.h) r.sayVote('prepare', r.view, n, digest)
    else if (r.isPrimary) tryCommit(r, r.slotAt(n))
    else prepare(r, r.slotAt(n), digest)
  }
  advance(r)
  onViewEntered(r)
  replayOffered(r)
}
