import type { pbft as wire } from '../../proto/index.js'
import { pbft as messages } from '../../proto/index.js'
import type { Engine, EngineFactory, EngineHost, EngineStart, Member, MemberIndex } from '../consensus/index.js'
import { fetchWanted, followOthers, help, onFetch, onPeer, onReturned, onSeen, onTick, onTransferred, wantBatch } from './catch-up.js'
import { moveWatermarks, onCheckpoint } from './checkpoints.js'
import { acceptCommit, onCommit, onDelivered } from './execution.js'
import { currentNewView, onNewView, processNewView } from './new-view.js'
import { parsePbftOptions, type PbftOptions, quorumsOf } from './options.js'
import { onPrepare, onPrePrepare, orderBatch, propose, proposeWaiting, tryCommit } from './ordering.js'
import { restore, restoreVotes, rotationAfter } from './records.js'
import { Replica, type UpperRules } from './replica.js'
import { announceHeld, cut, onOwnRequest, onRemoteRequest } from './requests.js'
import { MAX_DIGEST_LENGTH, MAX_ID_LENGTH } from './selection.js'
import { lags, startTransfer } from './transfer.js'
import { askToSign, leaveView, onSigned, onViewChange } from './view-change.js'

/** v0.6's PBFT in batch mode (spec/consensus.md §5–§13). */
export const pbft: EngineFactory<PbftOptions> = Object.freeze({
  name: 'pbft',
  version: '1.0.0',
  agreement: true,
  tolerates(n: number) {
    const f = Math.floor((n - 1) / 3)
    return { crashed: f, byzantine: f }
  },
  parseOptions: parsePbftOptions,
  checkMembers: (options: PbftOptions, members: readonly Member[]) => void quorumsOf(options, members),
  create(host: EngineHost, options: PbftOptions, start: EngineStart): Engine {
    const replica = restoreReplica(host, options, start)
    begin(replica)
    return engineOf(replica)
  },
})

const rules: UpperRules = { cut, orderBatch, proposeWaiting, processNewView, leaveView, followOthers, wantBatch, help }
/** How many time-outs a replica that is behind takes for its own fault before it suspects the primary all the same. */
const MAX_PATIENCE = 2

/** A replica as its records left it. Throws ERR_PBFT_OPTIONS if the options do not fit the members. */
export function restoreReplica(host: EngineHost, options: PbftOptions, start: EngineStart): Replica {
  const r = new Replica(host, options, rules)
  r.firstLeader = start.firstLeader ?? 0
  r.isFirstEpoch = start.epoch === 0n
  r.hasOriginals = start.hasOriginals ?? false
  moveWatermarks(r, ...restore(r, start), true)
  restoreVotes(r)
  r.rotateAfter = rotationAfter(r, r.seqNo > r.lastExec ? r.seqNo : r.lastExec)
  for (const id of start.executed ?? []) r.book.markExecuted(id)
  return r
}

/** The start-up state transfer, to the own head (§8.7). */
export function begin(r: Replica): void {
  r.timers.set('tick', r.options.requestMs / 2)
  if (!r.isActive) r.timers.set('vcResend', r.options.resendMs)
  startTransfer(r)
  for (const slot of r.slots.values()) {
    const own = slot.commits.get(r.self)
    if (own) acceptCommit(r, r.self, slot.n, own.view, own.digest)
    else tryCommit(r, slot)
  }
  publish(r)
}

/** The handlers of a replica. */
export function engineOf(r: Replica): Required<Omit<Engine, 'onExecuted' | 'dispose'>> {
  let { view, isActive, lastExec, h } = r
  /** After each handler. Where it has led to, if anywhere, is published. */
  const after = (_handled: void, isPublished = true): void => {
    if (r.view === view && r.isActive === isActive && r.lastExec === lastExec && r.h === h) return
    ;({ view, isActive, lastExec, h } = r)
    if (isPublished) publish(r)
  }
  return {
    onRequest: (request) => after(onOwnRequest(r, request), false),
    onMessage: (from, bytes) => after(onMessage(r, from, messages.decodeIncoming(bytes))),
    onPeer: (member, up) => after(onPeer(r, member, up), false),
    onTimer: (name) => after(onTimer(r, name)),
    onDelivered: (tag, block) => after(onDelivered(r, tag, block)),
    onTransferred: (result) => after(onTransferred(r, result)),
    onSigned: (token, signature) => after(onSigned(r, token, signature)),
    onVerified: (token, verdicts) => after(r.checks.onVerified(token, verdicts)),
    onSealed() {
      r.isSealed = true
      r.timers.stop('newView')
    },
  }
}

/** A protocol message counts only from the replica that it names (§5.5, §15 W2). */
function onMessage(r: Replica, from: MemberIndex, message: wire.Incoming | undefined): void {
  if (message?.$case === 'request') return onRemoteRequest(r, from, message.value)
  if (message?.$case === 'returnRequestBatch') return onReturned(r, message.value)
  // Nobody sends batches alone; a primary that ordered them would order what no replica asked for (§15 W24).
  if (!message || message.$case === 'requestBatch') return r.log('warning', `a message of replica ${from} is dropped: it holds nothing that is taken`)
  const { replicaId } = message.value
  if (replicaId !== from) return r.log('warning', `a message of replica ${from} is dropped: it says that it is of ${replicaId}`)
  // Nothing honest is longer; what is kept of a member is so bounded in bytes, too (§15 W28).
  if ('batchDigest' in message.value && message.value.batchDigest.length > MAX_DIGEST_LENGTH) return
  if ('id' in message.value && message.value.id.length > MAX_ID_LENGTH) return
  if ('view' in message.value) onSeen(r, from, message.value.view)
  switch (message.$case) {
    case 'prePrepare':
      return onPrePrepare(r, from, message.value)
    case 'prepare':
      return onPrepare(r, from, message.value)
    case 'commit':
      return onCommit(r, from, message.value)
    case 'checkpoint':
      return onCheckpoint(r, from, message.value)
    case 'viewChange':
      return onViewChange(r, from, message.value)
    case 'newView':
      return onNewView(r, from, message.value)
    case 'fetchRequestBatch':
      return onFetch(r, from, message.value)
  }
}

/** A timer ran out (§10.2). */
function onTimer(r: Replica, name: string): void {
  r.timers.fired(name)
  if (name === 'newView') suspect(r)
  else if (name === 'nullRequest' && r.isActive) {
    if (!r.isPrimary) suspect(r)
    else if (!propose(r)) r.timers.set('nullRequest', r.options.nullRequestMs)
  } else if (name === 'vcResend') askToSign(r)
  else if (name === 'batch') r.batcher.timeUp()
  else if (name === 'announce') announceHeld(r)
  else if (name === 'fetch') fetchWanted(r)
  else if (name === 'tick') {
    onTick(r)
    publish(r)
  }
}

/** The primary is too slow, unless this replica is the one that is behind, or a view change could not succeed (§15 W36). */
function suspect(r: Replica): void {
  if (isOwnFault(r) || r.quorums.N - r.down.size < r.quorums.viewChange) r.timers.set('newView', r.options.requestMs)
  else leaveView(r, r.view + 1)
}

/** A transfer ends by itself, however long it takes. Who lags otherwise, or cannot enter a view that has begun, gets there or loses patience. */
function isOwnFault(r: Replica): boolean {
  if (r.transferring && r.transferring.n > r.lastExec) return true
  if (r.patience.at !== r.lastExec) r.patience = { at: r.lastExec, left: MAX_PATIENCE }
  return (r.isActive ? lags(r) : currentNewView(r) !== undefined) && r.patience.left-- > 0
}

/** What `peer consensus status` shows, and the metrics. */
function publish(r: Replica): void {
  const view = {
    replica: r.self,
    replicas: r.quorums.N,
    faulty: r.quorums.f,
    view: r.view,
    primary: r.primaryOf(r.view),
    active: r.isActive,
    sequence: r.seqNo,
    executed: r.lastExec,
    lowWatermark: r.h,
    highWatermark: r.h + r.L,
    outstanding: r.book.size + r.held.size,
    pending: r.book.queuedCount,
    outOfDate: r.isOutOfDate,
    transferring: r.transferring !== undefined,
  }
  r.host.status(view)
  r.host.metric('pbft_view', view.view)
  r.host.metric('pbft_executed', view.executed)
  r.host.metric('pbft_low_watermark', view.lowWatermark)
  r.host.metric('pbft_requests_outstanding', view.outstanding)
}
