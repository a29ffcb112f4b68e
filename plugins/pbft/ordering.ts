import type { pbft } from '../../proto/index.js'
import type { MemberIndex } from '../consensus/index.js'
import { addVote, calcP, calcQ, isPrepared } from './certificates.js'
import { broadcast, type Core, executedTo, isInWindow, isPrimary, logSize, type Parts, primaryOf, type Slot, slotAt } from './core.js'
import { type Batch, toBatch } from './messages.js'

/** The messages of the normal case. */
export interface Ordering {
  readonly part: Parts['ordering']
  onPrePrepare(from: MemberIndex, message: pbft.PrePrepare): void
  onPrepare(from: MemberIndex, message: pbft.Prepare): void
}

/** Proposing, preparing and committing (spec/consensus.md §7.1–§7.4). */
export function createOrdering(core: Core): Ordering {
  const { host, state, timers, options, records, parts } = core
  const self = host.self
  /** Proposals for the view that is being entered, by number (§15 W40). */
  let early = new Map<bigint, pbft.PrePrepare>()

  /** Why nothing can be proposed at this number; undefined if it can. */
  const hindrance = (n: bigint): string | undefined => {
    if (!state.isActive || !isPrimary(core)) return 'not the primary'
    if (state.isOutOfDate || state.isSealed) return 'out of date'
    if (!isInWindow(core, n) || n > state.h + logSize(options) / 2n) return 'the window is full'
    return n > state.rotateAfter ? "the next primary's turn" : undefined
  }
  const propose = (batch: Batch | undefined): boolean => {
    // A transfer moves these ahead of the numbers assigned (§15 W15).
    for (const least of [state.lastExec, state.h]) if (state.seqNo < least) state.seqNo = least
    const n = state.seqNo + 1n
    if (hindrance(n) !== undefined) return false
    const digest = batch?.digest ?? ''
    state.seqNo = n
    const slot = slotAt(state, n)
    slot.proposal = digest
    records.saveQset([...calcQ(core).values()])
    const message = { view: state.view, sequenceNumber: n, batchDigest: digest, requestBatch: batch?.message, replicaId: BigInt(self) }
    broadcast(core, { $case: 'prePrepare', value: message }, { slot: `pre-prepare ${state.view} ${n}`, value: digest })
    tryCommit(slot)
    return true
  }
  const tryCommit = (slot: Slot): void => {
    const { n, proposal } = slot
    if (proposal === undefined || slot.isCommitSent || !isPrepared(core, slot)) return
    slot.isCommitSent = true
    parts.execution.onCommit(self, n, state.view, proposal)
    const value = { view: state.view, sequenceNumber: n, batchDigest: proposal, replicaId: BigInt(self) }
    broadcast(core, { $case: 'commit', value }, { slot: `commit ${value.view} ${n}`, value: proposal })
  }
  const addBatch = (batch: Batch): void => {
    if (state.batches.has(batch.digest)) return
    state.batches.set(batch.digest, batch)
    records.saveBatch(batch.digest, batch.bytes)
  }
  /** The batch that a message names, if it is known or comes with it and is what its digest says; looked at before anything is stored (§15 W29). */
  const batchOf = ({ batchDigest, requestBatch }: pbft.PrePrepare): Batch | undefined => {
    const batch = state.batches.get(batchDigest) ?? (requestBatch && toBatch(requestBatch))
    return batch?.digest === batchDigest ? batch : undefined
  }
  /** A new proposal is not voted for if it is empty or repeats something (§15 W18, W42); the votes of the others decide. */
  const isUnwanted = (n: bigint, digest: string): boolean => {
    const batch = state.batches.get(digest)
    if (!batch || n <= executedTo(state)) return false
    return batch.message.batch.length === 0 || parts.requests.isRepeated(batch, n)
  }
  const part: Parts['ordering'] = {
    onBatch(batch) {
      addBatch(batch)
      if (!state.isActive) return
      timers.softStart('newView', options.requestMs)
      if (!isPrimary(core)) return
      timers.stop('nullRequest')
      if (!propose(batch)) state.waiting.push(batch)
    },
    proposeNull() {
      if (!propose(undefined)) timers.set('nullRequest', options.nullRequestMs)
    },
    proposeWaiting() {
      const { waiting } = state
      state.waiting = []
      for (const batch of waiting) part.onBatch(batch)
    },
    acceptPrepare(from, slot, digest) {
      if (!addVote(slot.prepares, from, digest)) return
      const wasPrepared = slot.isPrepared
      const isNewlyPrepared = isPrepared(core, slot) && !wasPrepared
      if (isNewlyPrepared || state.isPsetStale) records.savePset([...calcP(core).values()])
      state.isPsetStale = false
      tryCommit(slot)
    },
    tryCommit,
    addBatch,
    replayEarly() {
      const messages = [...early.values()].filter(({ view }) => view === state.view)
      early = new Map()
      for (const message of messages) onPrePrepare(primaryOf(core, message.view), message)
    },
  }
  const onPrePrepare = (from: MemberIndex, message: pbft.PrePrepare): void => {
    const { view, sequenceNumber: n, batchDigest } = message
    if (view !== state.view || from !== primaryOf(core, view) || from === self || !isInWindow(core, n)) return
    if (!state.isActive) return void early.set(n, message)
    if (n > state.rotateAfter) return parts.viewChange.start(state.view + 1n)
    const batch = batchOf(message)
    if (!batch && batchDigest !== '') return host.log('warning', `the pre-prepare of number ${n} from replica ${from} does not hold the batch that its digest names`)
    const slot = slotAt(state, n)
    if ((slot.proposal ?? batchDigest) !== batchDigest || (slot.committed ?? batchDigest) !== batchDigest) {
      host.log('warning', `replica ${from}, the primary of view ${view}, proposes two batches for number ${n}`)
      return parts.viewChange.start(state.view + 1n)
    }
    if (batch) addBatch(batch)
    const isNew = slot.proposal === undefined
    slot.proposal = batchDigest
    if (slot.committed === undefined) timers.softStart('newView', options.requestMs)
    timers.stop('nullRequest')
    if (isNew) slot.isRefused = isUnwanted(n, batchDigest)
    if (slot.isRefused) {
      host.log('warning', `no vote for number ${n}: its batch is empty or repeats a transaction`)
      tryCommit(slot)
    } else if (!slot.isPrepareSent) prepare(slot, batchDigest)
    parts.execution.advance()
  }
  const prepare = (slot: Slot, digest: string): void => {
    slot.isPrepareSent = true
    records.saveQset([...calcQ(core).values()])
    part.acceptPrepare(self, slot, digest)
    sendPrepare(core, slot.n, digest)
  }
  return {
    part,
    onPrePrepare,
    onPrepare(from, { view, sequenceNumber: n, batchDigest }) {
      if (view !== state.view || from === primaryOf(core, view) || !isInWindow(core, n)) return
      part.acceptPrepare(from, slotAt(state, n), batchDigest)
    },
  }
}

/** Says that a proposal is prepared for. Marked as a vote. */
export function sendPrepare(core: Core, n: bigint, digest: string): void {
  const { view } = core.state
  const value = { view, sequenceNumber: n, batchDigest: digest, replicaId: BigInt(core.host.self) }
  broadcast(core, { $case: 'prepare', value }, { slot: `prepare ${view} ${n}`, value: digest })
}
