import { pbft } from '../../proto/index.js'
import type { MemberIndex } from '../consensus/index.js'
import { calcQ } from './certificates.js'
import { broadcast, type Core, executedTo, hasContent, isPrimary, logSize, type Parts, primaryOf, rotationAfter, slotAt } from './core.js'
import { encodePayload, fromBase64 } from './messages.js'
import { sendPrepare } from './ordering.js'
import { assignSequenceNumbers, hasNoRepetition, type InitialCheckpoint, isCorrect, sameAssignment, selectInitialCheckpoint } from './selection.js'
import type { Verifier } from './verifier.js'
import type { ViewChanges } from './view-change.js'

/** An honest original's V holds a few view changes of each replica; beyond this it is refused unread. */
const MAX_VSET_PER_MEMBER = 16

export interface NewViews {
  readonly part: Parts['newView']
  onNewView(from: MemberIndex, newView: pbft.NewView): void
  /** A member was seen in this view. */
  seen(member: MemberIndex, view: bigint): void
  /** As its primary, says the new view of this view to one member. */
  repeatTo(member: MemberIndex): void
  /** After a restart. */
  restore(newView: pbft.NewView | undefined): void
}

/** What a list of view changes leads to. */
interface Outcome {
  readonly base: InitialCheckpoint
  readonly xset: Map<bigint, string>
}

/** Entering a view (spec/consensus.md §9.4–§9.10). */
export function createNewViews(core: Core, verifier: Verifier, viewChanges: ViewChanges): NewViews {
  const { host, state, timers, quorums, options, records, parts } = core
  const L = logSize(options)
  /** The latest of each primary. */
  const known = new Map<MemberIndex, pbft.NewView>()
  const views = new Map<MemberIndex, bigint>()

  const outcomeOf = (vset: readonly pbft.ViewChange[]): Outcome | undefined => {
    const base = selectInitialCheckpoint(vset, quorums)
    const xset = base && assignSequenceNumbers(vset, base.n, L, quorums)
    return base && xset && { base, xset }
  }
  const current = (): pbft.NewView | undefined => {
    const newView = known.get(primaryOf(core, state.view))
    return newView?.view === state.view ? newView : undefined
  }
  /** What a correct primary cannot have sent (§15 W7, W8): too few view changes for this view, wrong ones, or repetitions that count. */
  const isSound = ({ view, vset }: pbft.NewView): boolean => {
    const own = vset.filter((viewChange) => viewChange.view === view)
    if (new Set(own.map(({ replicaId }) => replicaId)).size < quorums.viewChange) return false
    return vset.every((viewChange) => viewChange.view >= view && viewChange.replicaId < BigInt(quorums.N) && isCorrect(viewChange, L) && hasNoRepetition(viewChange))
  }
  /** The outcome, if it is that of the message and does not hang on view changes that are there twice or for other views. */
  const outcome = (newView: pbft.NewView): Outcome | undefined => {
    const asSent = outcomeOf(newView.vset)
    const distinct = new Map(newView.vset.filter(({ view }) => view === newView.view).map((viewChange) => [viewChange.replicaId, viewChange]))
    const filtered = distinct.size === newView.vset.length ? asSent : outcomeOf([...distinct.values()])
    if (!asSent || !filtered || asSent.base.n !== filtered.base.n || asSent.base.id !== filtered.base.id) return undefined
    return sameAssignment(asSent.xset, pbft.xsetMap(newView.xset)) && sameAssignment(asSent.xset, filtered.xset) ? asSent : undefined
  }
  /** Whether every number up to the base is decided here, so that executing gets there. */
  const canExecuteTo = (n: bigint): boolean => {
    for (let next = executedTo(state) + 1n; next <= n; next++) if (state.slots.get(next)?.committed === undefined) return false
    return true
  }
  const reachBase = ({ n, id, members }: InitialCheckpoint): boolean => {
    const isBehind = executedTo(state) < n
    if (state.h < n) parts.checkpoints.moveWatermarks(n)
    if (!isBehind) return true
    const bytes = fromBase64(id)
    if (!bytes) return false
    const target = { n, id: bytes, members }
    parts.transfer.learn(target)
    parts.transfer.start(target)
    return true
  }
  const fetch = (xset: ReadonlyMap<bigint, string>): void => {
    const missing = [...xset].filter(([n, digest]) => n > state.h && !hasContent(state, digest)).map(([, digest]) => digest)
    const isNew = missing.some((digest) => !state.missing.has(digest))
    state.missing = new Set(missing)
    if (isNew) fetchMissing(core)
  }
  const enter = (xset: ReadonlyMap<bigint, string>): void => {
    timers.stop('newView')
    timers.stop('nullRequest')
    timers.stop('vcResend')
    state.isActive = true
    state.seqNo = state.h
    records.saveView(state.view, true)
    const above = [...xset].filter(([n]) => n > state.h)
    for (const [n, digest] of above) {
      slotAt(state, n).proposal = digest
      if (n > state.seqNo) state.seqNo = n
    }
    if (above.length > 0) records.saveQset([...calcQ(core).values()])
    state.rotateAfter = rotationAfter(core)
    host.log('info', `view ${state.view} begins; its primary is replica ${primaryOf(core, state.view)}`)
    if (!isPrimary(core)) vote(xset)
    else for (const [n] of above) parts.ordering.tryCommit(slotAt(state, n))
    parts.execution.advance()
    parts.requests.onViewEntered()
    parts.ordering.replayEarly()
  }
  /** The new view is the pre-prepare of its numbers: the others prepare all of them, also executed ones. */
  const vote = (xset: ReadonlyMap<bigint, string>): void => {
    for (const [n, digest] of xset) {
      if (n > state.h) {
        const slot = slotAt(state, n)
        slot.isPrepareSent = true
        parts.ordering.acceptPrepare(host.self, slot, digest)
      }
      sendPrepare(core, n, digest)
    }
  }
  const part: Parts['newView'] = {
    send() {
      const vset = viewChanges.of(state.view)
      if (current() || state.isActive) return
      const found = outcomeOf(vset)
      if (!found) return
      const newView: pbft.NewView = { view: state.view, vset, xset: pbft.xsetEntries(found.xset), replicaId: BigInt(host.self) }
      records.saveNewView(newView)
      broadcast(core, { $case: 'newView', value: newView }, { slot: `new-view ${state.view}`, value: '' })
      known.set(host.self, newView)
      part.process()
    },
    process() {
      const newView = state.isActive ? undefined : current()
      if (!newView) return
      const found = outcome(newView)
      if (!found) {
        host.log('warning', `the new view ${newView.view} does not follow from its view changes: moving on`)
        return parts.viewChange.start(state.view + 1n)
      }
      const { base, xset } = found
      if (executedTo(state) < base.n && canExecuteTo(base.n)) return
      if (!reachBase(base)) return
      fetch(xset)
      if (state.missing.size === 0) enter(xset)
    },
    /**
     * Goes to a later view that f + 1 members are seen in, by its new view: after a restart or a partition, without waiting for the next view change
     * (§15 W14). Its view changes prove that a quorum went there.
     */
    adoptKnown() {
      const sorted = [...views.values()].sort((left, right) => (left > right ? -1 : 1))
      const certain = sorted[quorums.f] ?? 0n
      for (const { view } of known.values()) {
        if (view <= state.view || view > certain) continue
        parts.viewChange.fold()
        state.view = view
        state.isActive = false
        records.saveView(view, false)
        timers.stop('vcResend')
        timers.set('newView', state.newViewMs)
        host.log('info', `following the others to view ${view}`)
      }
      part.process()
    },
  }
  return {
    part,
    onNewView(from, newView) {
      const { view, vset } = newView
      const before = known.get(from)?.view ?? -1n
      if (view === 0n || view < state.view || view <= before || from !== primaryOf(core, view) || vset.length > MAX_VSET_PER_MEMBER * quorums.N) return
      if (!isSound(newView)) {
        host.log('warning', `replica ${from} sent a new view ${view} without a quorum of correct view changes`)
        if (view === state.view && !state.isActive) parts.viewChange.start(view + 1n)
        return
      }
      verifier.verify(from, vset, () => {
        if (view <= (known.get(from)?.view ?? -1n)) return
        known.set(from, newView)
        part.adoptKnown()
      })
    },
    seen(member, view) {
      if (view <= (views.get(member) ?? -1n)) return
      views.set(member, view)
      if (view > state.view) part.adoptKnown()
    },
    repeatTo(member) {
      const newView = current()
      if (newView && isPrimary(core)) host.send(member, encodePayload({ $case: 'newView', value: newView }))
    },
    restore(newView) {
      if (newView) known.set(host.self, newView)
    },
  }
}

/** Asks everybody for the batches that a new view needs. */
export function fetchMissing(core: Core): void {
  for (const batchDigest of core.state.missing) broadcast(core, { $case: 'fetchRequestBatch', value: { batchDigest, replicaId: BigInt(core.host.self) } })
}
