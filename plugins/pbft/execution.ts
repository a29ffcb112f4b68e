import { encode, pbft } from '../../proto/index.js'
import type { DeliveredBlock, MemberIndex } from '../consensus/index.js'
import { type Core, executedTo, isInWindow, isPrimary, type Parts, type Slot, slotAt } from './core.js'

export interface Execution {
  readonly part: Parts['execution']
  onDelivered(tag: string, block: DeliveredBlock | 'skipped'): void
}

/** Counting commits and executing what is decided, in order and one at a time (spec/consensus.md §7.5, §7.6, §13.1). */
export function createExecution(core: Core): Execution {
  const { host, state, timers, options, quorums, records, parts } = core

  const isDecided = (slot: Slot, view: bigint, digest: string): boolean => {
    let votes = 0
    for (const vote of slot.commits.values()) if (vote.view === view && vote.digest === digest) votes++
    return votes >= quorums.intersection
  }
  const onDecided = (slot: Slot, view: bigint): void => {
    if (state.isActive || view === state.view) {
      timers.stop('newView')
      state.newViewMs = options.viewChangeMs
    }
    part.advance()
    if (slot.n === state.rotateAfter && state.isActive && view === state.view) parts.viewChange.start(state.view + 1n)
  }
  const deliver = (n: bigint, digest: string): void => {
    const batch = state.batches.get(digest)
    if (!batch) return
    state.delivering = batch
    parts.requests.onExecuting(batch)
    // In epoch 0 everything that was ordered is executed, as the originals do: repetitions were stopped before the vote (§12.7).
    host.deliver(String(n), batch.requests, { metadata: encode(pbft.Metadata, { seqNo: n }) })
  }
  const finish = (n: bigint): void => {
    state.lastExec = n
    state.currentExec = undefined
    if (n % BigInt(options.K) === 0n) parts.checkpoints.take(n, host.head.blob)
  }
  /** Begins the next number, if it is decided and its content is here. True if it is over already: a null request makes no block. */
  const next = (): boolean => {
    const n = state.lastExec + 1n
    const digest = state.slots.get(n)?.committed
    if (digest === undefined || state.currentExec !== undefined || state.isOutOfDate || state.isSealed) return false
    if (digest !== '' && !state.batches.has(digest)) {
      parts.catchUp.wantBatch(digest)
      return false
    }
    state.currentExec = n
    if (digest !== '') {
      deliver(n, digest)
      return false
    }
    finish(n)
    records.savePosition(n, host.head.height)
    return true
  }
  const hasProposals = (): boolean => {
    if (state.waiting.length > 0) return true
    for (const slot of state.slots.values()) {
      if (slot.n > executedTo(state) && slot.committed === undefined && slot.proposal !== undefined && slot.proposal !== '') return true
    }
    return false
  }
  const part: Parts['execution'] = {
    onCommit(from, n, view, digest) {
      if (!isInWindow(core, n)) return
      const slot = slotAt(state, n)
      const before = slot.commits.get(from)
      if (before && before.view > view) return
      slot.commits.set(from, { view, digest })
      if (slot.committed !== undefined || !isDecided(slot, view, digest)) return
      slot.committed = digest
      onDecided(slot, view)
    },
    advance() {
      let isOver = false
      while (next()) isOver = true
      if (isOver && !state.isActive) parts.newView.process()
      part.startTimer()
    },
    startTimer() {
      if (state.isOutOfDate || state.isSealed || state.currentExec !== undefined || !state.isActive) return
      if (hasProposals()) timers.softStart('newView', options.requestMs)
      else if (options.nullRequestMs > 0 && !timers.isRunning('newView')) timers.set('nullRequest', options.nullRequestMs + (isPrimary(core) ? 0 : options.requestMs))
    },
  }
  return {
    part,
    onDelivered(tag, block) {
      const n = state.currentExec
      if (n === undefined || tag !== String(n)) return host.log('warning', `delivery '${tag}' is answered, but ${n ?? 'none'} was expected`)
      const batch = state.delivering
      state.delivering = undefined
      if (block === 'skipped') state.currentExec = undefined
      else {
        if (batch) parts.requests.onExecuted(batch, block.rejected ?? [])
        finish(n)
      }
      part.advance()
      if (state.isOutOfDate) parts.transfer.retry()
      if (!state.isActive) parts.newView.process()
      parts.requests.resubmit()
    },
  }
}

/** A member's commit, whatever view it is of: see `Slot.commits`. */
export function onCommit(core: Core, from: MemberIndex, { view, sequenceNumber, batchDigest }: pbft.Commit): void {
  core.parts.execution.onCommit(from, sequenceNumber, view, batchDigest)
  core.parts.requests.startTimer()
}
