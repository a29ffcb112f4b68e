import type { MemberIndex } from '../consensus/index.js'
import type { CatchUp } from './catch-up.js'
import type { Checkpoints } from './checkpoints.js'
import { type Core, isPrimary } from './core.js'
import { onCommit } from './execution.js'
import type { Incoming } from './messages.js'
import type { NewViews } from './new-view.js'
import type { Ordering } from './ordering.js'
import type { Requests } from './requests.js'
import type { ViewChanges } from './view-change.js'

/** How many time-outs a replica that is behind takes for its own fault before it suspects the primary all the same. */
const MAX_PATIENCE = 2

interface Receivers {
  readonly requests: Requests
  readonly ordering: Ordering
  readonly checkpoints: Checkpoints
  readonly viewChanges: ViewChanges
  readonly newViews: NewViews
  readonly catchUp: CatchUp
}

/** Takes messages of members to the part that they are for. A protocol message counts only from the replica that it names (spec/consensus.md §5.5). */
export function createReceiver(core: Core, parts: Receivers): (from: MemberIndex, message: Incoming | undefined) => void {
  const { host } = core
  const { requests, ordering, checkpoints, viewChanges, newViews, catchUp } = parts
  return (from, message) => {
    if (!message) return host.log('warning', `a message of replica ${from} is dropped: it holds nothing that PBFT knows`)
    if (message.$case === 'request') return requests.onRemote(from, message.value)
    if (message.$case === 'returnRequestBatch') return catchUp.onReturned(message.value)
    // Nobody sends batches alone; a primary that ordered them would order what no replica asked for (§15 W24).
    if (message.$case === 'requestBatch') return
    if (message.value.replicaId !== BigInt(from)) return host.log('warning', `a message of replica ${from} is dropped: it says that it is of ${message.value.replicaId}`)
    if ('view' in message.value) newViews.seen(from, message.value.view)
    switch (message.$case) {
      case 'prePrepare':
        return ordering.onPrePrepare(from, message.value)
      case 'prepare':
        return ordering.onPrepare(from, message.value)
      case 'commit':
        return onCommit(core, from, message.value)
      case 'checkpoint':
        return checkpoints.onCheckpoint(from, message.value)
      case 'viewChange':
        return viewChanges.onViewChange(from, message.value)
      case 'newView':
        return newViews.onNewView(from, message.value)
      case 'fetchRequestBatch':
        return catchUp.onFetch(from, message.value)
    }
  }
}

interface Alarmed extends Pick<Receivers, 'requests' | 'viewChanges' | 'catchUp'> {
  readonly publish: (always?: boolean) => void
}

/** What happens when a timer runs out (§10.2). */
export function createAlarm(core: Core, { requests, viewChanges, catchUp, publish }: Alarmed): (name: string) => void {
  const { state, timers, options, parts } = core
  /** The primary is too slow, unless this replica is the one that is behind, or a view change could not succeed (§15 W36). */
  let patience = { at: 0n, left: MAX_PATIENCE }
  const suspect = (): void => {
    if (patience.at !== state.lastExec) patience = { at: state.lastExec, left: MAX_PATIENCE }
    const isOwnFault = state.isActive && parts.catchUp.isBehind() && patience.left-- > 0
    if (isOwnFault || !parts.catchUp.canChangeView()) timers.set('newView', options.requestMs)
    else parts.viewChange.start(state.view + 1n)
  }
  const onNullRequest = (): void => {
    if (!state.isActive) return
    if (isPrimary(core)) parts.ordering.proposeNull()
    else suspect()
  }
  const actions: Readonly<Record<string, () => void>> = {
    newView: suspect,
    nullRequest: onNullRequest,
    vcResend: () => viewChanges.resend(),
    batch: () => requests.onBatchTimer(),
    announce: () => requests.onAnnounceTimer(),
    fetch: () => catchUp.onFetchTimer(),
    tick() {
      catchUp.onTick()
      publish(true)
    },
  }
  return (name) => {
    timers.fired(name)
    actions[name]?.()
  }
}
