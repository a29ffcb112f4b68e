import type { pbft } from '../../proto/index.js'
import type { MemberIndex } from '../consensus/index.js'
import { calcP, calcQ } from './certificates.js'
import { broadcast, type Core, isPrimary, logSize, type Parts } from './core.js'
import { encodePayload, NOTHING, signedBytes } from './messages.js'
import { hasNoRepetition, isCorrect } from './selection.js'
import type { Verifier } from './verifier.js'

/** The view changes of each member that are kept: the lowest ones and the highest (§15 W28). */
const MAX_KEPT = 4
/** T_nv is doubled for every failed view up to this multiple (§15 W37). */
const MAX_DOUBLINGS = 64

export interface ViewChanges {
  readonly part: Parts['viewChange']
  onViewChange(from: MemberIndex, viewChange: pbft.ViewChange): void
  onSigned(token: string, signature: Uint8Array): void
  /** Signs and sends the view change of this view again. */
  resend(): void
  /** Says the own view change to one member. */
  repeatTo(member: MemberIndex): void
  /** View changes for this very view, by replica. */
  of(view: bigint): pbft.ViewChange[]
}

/** Leaving a view (spec/consensus.md §9.1–§9.3). */
export function createViewChanges(core: Core, verifier: Verifier): ViewChanges {
  const { host, state, timers, options, quorums, records, parts } = core
  const kept = new Map<MemberIndex, Map<bigint, pbft.ViewChange>>()
  let signing: { readonly token: string; readonly viewChange: pbft.ViewChange } | undefined
  let signatures = 0
  let changes = 0
  /** The view whose quorum started the timer: it is started once for each (§15 W37). */
  let timedView = -1n

  const of = (view: bigint): pbft.ViewChange[] => {
    const found = [...kept].sort(([left], [right]) => left - right).flatMap(([, changes]) => changes.get(view) ?? [])
    return found
  }
  const ask = (): void => {
    const viewChange: pbft.ViewChange = {
      view: state.view,
      h: state.h,
      cset: [...state.checkpoints].map(([sequenceNumber, id]) => ({ sequenceNumber, id })).sort((left, right) => Number(left.sequenceNumber - right.sequenceNumber)),
      pset: [...state.pset.values()],
      qset: [...state.qset.values()],
      replicaId: BigInt(host.self),
      signature: NOTHING,
    }
    signing = { token: `view change ${++signatures}`, viewChange }
    host.sign(signing.token, signedBytes(viewChange))
  }
  /** Keeps a view change; false if it is known. */
  const keep = (from: MemberIndex, viewChange: pbft.ViewChange): boolean => {
    const changes = kept.get(from) ?? new Map<bigint, pbft.ViewChange>()
    kept.set(from, changes)
    if (changes.has(viewChange.view)) return false
    changes.set(viewChange.view, viewChange)
    const views = [...changes.keys()].sort((left, right) => (left < right ? -1 : 1))
    if (views.length > MAX_KEPT) changes.delete(views[views.length - 2] ?? 0n)
    return true
  }
  /** f + 1 members want to leave this view: one of them is right. Goes to the lowest view that they ask for. */
  const joins = (): boolean => {
    const ahead = [...kept.values()].map((changes) => [...changes.keys()].filter((view) => view > state.view)).filter((views) => views.length > 0)
    if (ahead.length <= quorums.f) return false
    part.start(ahead.flat().reduce((lowest, view) => (view < lowest ? view : lowest)))
    return true
  }
  const accept = (from: MemberIndex, viewChange: pbft.ViewChange): void => {
    if (viewChange.view < state.view || !keep(from, viewChange) || joins()) return
    if (state.isActive || viewChange.view !== state.view || of(state.view).length < quorums.viewChange) return
    timers.stop('vcResend')
    if (timedView !== state.view) {
      timedView = state.view
      timers.set('newView', state.newViewMs)
      state.newViewMs = Math.min(2 * state.newViewMs, MAX_DOUBLINGS * options.viewChangeMs)
    }
    if (isPrimary(core)) parts.newView.send()
    else parts.newView.process()
  }
  const part: Parts['viewChange'] = {
    start(view) {
      timers.stop('newView')
      part.fold()
      state.view = view
      state.isActive = false
      records.saveView(view, false)
      for (const changes of kept.values()) for (const known of [...changes.keys()]) if (known < view) changes.delete(known)
      host.metric('pbft_view_changes_total', ++changes)
      host.log('info', `leaving for view ${view}, whose primary is replica ${view % BigInt(quorums.N)}`)
      ask()
    },
    fold() {
      state.pset = calcP(core)
      state.qset = calcQ(core)
      for (const slot of state.slots.values()) {
        slot.proposal = undefined
        slot.isRefused = slot.isPrepareSent = slot.isPrepared = slot.isCommitSent = false
        slot.prepares.clear()
        if (slot.commits.size === 0) state.slots.delete(slot.n)
      }
    },
  }
  return {
    part,
    of,
    onViewChange(from, viewChange) {
      if (viewChange.view < state.view || !isCorrect(viewChange, logSize(options)) || !hasNoRepetition(viewChange) || kept.get(from)?.has(viewChange.view)) return
      verifier.verify(from, [viewChange], () => accept(from, viewChange))
    },
    onSigned(token, signature) {
      if (signing?.token !== token || state.isActive || signing.viewChange.view !== state.view) return
      const { viewChange } = signing
      signing = undefined
      // With security off the host gives the bytes back: nothing is gained by sending them twice (§15 W6).
      const isCopy = Buffer.compare(signature, signedBytes(viewChange)) === 0
      const signed = { ...viewChange, signature: isCopy ? NOTHING : signature }
      broadcast(core, { $case: 'viewChange', value: signed }, { slot: `view-change ${state.view}`, value: '' })
      timers.set('vcResend', options.resendMs)
      accept(host.self, signed)
    },
    resend() {
      if (!state.isActive) ask()
    },
    repeatTo(member) {
      const own = state.isActive ? undefined : kept.get(host.self)?.get(state.view)
      if (own) host.send(member, encodePayload({ $case: 'viewChange', value: own }))
    },
  }
}
