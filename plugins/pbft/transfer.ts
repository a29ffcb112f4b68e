import { BlockchainInfo, decode } from '../../proto/index.js'
import type { RequestId, TransferResult } from '../consensus/index.js'
import type { Core, Parts, Target } from './core.js'
import { orUndefined } from './messages.js'

export interface Transfer {
  readonly part: Parts['transfer']
  /** At the start: the own head is the target, which makes it a checkpoint (spec/consensus.md §8.7). */
  begin(): void
  onTransferred(result: TransferResult): void
}

export interface TransferEffects {
  /** Blocks came; `executed` are their requests, undefined if they are not known. */
  transferred(executed: readonly RequestId[] | undefined): void
}

/** State transfer (§8.5, §8.6). */
export function createTransfer(core: Core, { transferred }: TransferEffects): Transfer {
  const { host, state, options, parts } = core
  let failed: Target | undefined

  const skipTo = (target: Target, isBeginning = false): void => {
    const info = orUndefined(() => decode(BlockchainInfo, target.id))
    if (!info) return host.log('warning', `the checkpoint of number ${target.n} is no chain info: it cannot be a target`)
    if (!isBeginning) host.log('info', `transferring the state of number ${target.n}, height ${info.height}, from replicas ${target.members.join(', ') || 'any'}`)
    state.transferring = target
    // After a failure anybody may help, as in v0.6 (§2.5).
    host.transferTo({ height: info.height, hash: info.currentBlockHash, members: target === failed ? [] : target.members })
  }
  const invalidate = (): void => {
    if (state.isOutOfDate) return
    state.isOutOfDate = true
    host.setValid(false)
  }
  const part: Parts['transfer'] = {
    start(target) {
      invalidate()
      part.retry(target)
    },
    retry(asked) {
      const target = asked ?? state.target
      // A target at or below what is executed would lead backwards (§15 W33).
      if (state.currentExec !== undefined || state.transferring || !target || target.n < state.h || target.n <= state.lastExec) return
      skipTo(target)
    },
    learn(target) {
      if (state.target === undefined || state.target.n < target.n) state.target = target
    },
  }
  return {
    part,
    begin() {
      invalidate()
      skipTo({ n: state.lastExec, id: host.head.blob, members: [] }, true)
    },
    onTransferred(result) {
      const target = state.transferring
      if (!target) return
      state.transferring = undefined
      if (result.reached) {
        state.lastExec = target.n
        transferred(result.executed)
      } else host.log('warning', `the state of number ${target.n} could not be transferred: ${result.reason}`)
      failed = result.reached ? undefined : target
      if (!result.reached || target.n < state.h) {
        // Without a higher target the tick tries again.
        if (state.target && target.n < state.target.n) part.retry()
        return
      }
      parts.checkpoints.moveWatermarks(target.n)
      state.isOutOfDate = false
      host.setValid(true)
      if (target.n % BigInt(options.K) === 0n) parts.checkpoints.take(target.n, target.id)
      parts.execution.advance()
      if (!state.isActive) parts.newView.process()
      parts.requests.resubmit()
    },
  }
}
