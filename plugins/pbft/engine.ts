import type { Engine, EngineFactory, EngineHost, EngineStart } from '../consensus/index.js'
import { createCatchUp } from './catch-up.js'
import { createCheckpoints } from './checkpoints.js'
import type { Core, Parts } from './core.js'
import { createExecution } from './execution.js'
import { decodeIncoming } from './messages.js'
import { createNewViews } from './new-view.js'
import { parsePbftOptions, type PbftOptions, quorumsOf } from './options.js'
import { createOrdering } from './ordering.js'
import { createRecords, lastTimestamp, restoredNewView, restoredWatermark, restoreState, restoreVotes } from './records.js'
import { createRequests } from './requests.js'
import { createAlarm, createReceiver } from './routing.js'
import { createPublisher } from './status.js'
import { createTimers } from './timers.js'
import { createTransfer } from './transfer.js'
import { createVerifier } from './verifier.js'
import { createViewChanges } from './view-change.js'

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
  create(host: EngineHost, options: PbftOptions, start: EngineStart): Engine {
    const replica = createReplica(host, options, start)
    replica.begin()
    return replica.engine
  },
})

/** An engine before it has begun, with its insides, for tests. */
export interface Replica {
  readonly engine: Required<Pick<Engine, 'onRequest' | 'onMessage' | 'onPeer' | 'onTimer' | 'onDelivered' | 'onTransferred' | 'onSigned' | 'onVerified' | 'onSealed'>>
  readonly core: Core
  readonly requests: ReturnType<typeof createRequests>
  /** The start-up state transfer (§8.7). */
  begin(): void
}

/** Restores a replica from its records. Throws ERR_PBFT_OPTIONS if the options do not fit the members. */
export function createReplica(host: EngineHost, options: PbftOptions, start: EngineStart): Replica {
  const state = restoreState(options, start)
  // Parts ask things of one another; each is there when the first handler runs.
  const parts: Parts = {
    get ordering() {
      return ordering.part
    },
    get execution() {
      return execution.part
    },
    get checkpoints() {
      return checkpoints.part
    },
    get transfer() {
      return transfer.part
    },
    get viewChange() {
      return viewChanges.part
    },
    get newView() {
      return newViews.part
    },
    get requests() {
      return requests.part
    },
    get catchUp() {
      return catchUp.part
    },
  }
  const core: Core = { host, options, quorums: quorumsOf(options, host.members), state, timers: createTimers(host), records: createRecords(host), parts }
  const requests = createRequests(core, start.executed ?? [], lastTimestamp(state, host.self))
  const verifier = createVerifier(host)
  const ordering = createOrdering(core)
  const execution = createExecution(core)
  const checkpoints = createCheckpoints(core)
  const transfer = createTransfer(core, { transferred: (executed) => requests.onTransferred(executed) })
  const viewChanges = createViewChanges(core, verifier)
  const newViews = createNewViews(core, verifier, viewChanges)
  const catchUp = createCatchUp(core, {
    repeatTo(member, downSinceMs) {
      viewChanges.repeatTo(member)
      newViews.repeatTo(member)
      requests.repeatTo(member, downSinceMs)
    },
  })
  const publish = createPublisher(core, requests)
  const receive = createReceiver(core, { requests, ordering, checkpoints, viewChanges, newViews, catchUp })
  const fire = createAlarm(core, { requests, viewChanges, catchUp, publish })

  checkpoints.part.moveWatermarks(restoredWatermark(state), { keepBatches: true })
  restoreVotes(state, host.self)
  newViews.restore(restoredNewView(start))
  return {
    core,
    requests,
    begin() {
      core.timers.set('tick', options.requestMs / 2)
      if (!state.isActive) core.timers.set('vcResend', options.resendMs)
      transfer.begin()
      for (const slot of state.slots.values()) {
        const own = slot.commits.get(host.self)
        if (own) execution.part.onCommit(host.self, slot.n, own.view, own.digest)
        else ordering.part.tryCommit(slot)
      }
      publish(true)
    },
    engine: {
      onRequest: (request) => requests.onOwn(request),
      onMessage(from, bytes) {
        receive(from, decodeIncoming(bytes))
        publish()
      },
      onPeer: (member, up) => catchUp.onPeer(member, up),
      onTimer(name) {
        fire(name)
        publish()
      },
      onDelivered(tag, block) {
        execution.onDelivered(tag, block)
        publish()
      },
      onTransferred(result) {
        transfer.onTransferred(result)
        publish()
      },
      onSigned: (token, signature) => viewChanges.onSigned(token, signature),
      onVerified(token, verdicts) {
        verifier.onVerified(token, verdicts)
        publish()
      },
      onSealed() {
        state.isSealed = true
        core.timers.stop('newView')
      },
    },
  }
}
