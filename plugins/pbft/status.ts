import { type Core, logSize, primaryOf } from './core.js'
import type { Requests } from './requests.js'

/** Tells the host what `peer consensus status` shows of PBFT, and the metrics, when something of the protocol has changed; requests are counted with `always`. */
export function createPublisher({ host, state, quorums, options, ...rest }: Core, requests: Requests): (always?: boolean) => void {
  const core: Core = { host, state, quorums, options, ...rest }
  let last: readonly unknown[] = []
  return (always = false) => {
    const now = [state.view, state.isActive, state.seqNo, state.lastExec, state.h, state.isOutOfDate]
    if (!always && now.every((value, index) => value === last[index])) return
    last = now
    const { outstanding, pending } = requests.counts
    host.status({
      replica: host.self,
      replicas: quorums.N,
      faulty: quorums.f,
      view: Number(state.view),
      primary: primaryOf(core, state.view),
      active: state.isActive,
      sequence: Number(state.seqNo),
      executed: Number(state.lastExec),
      lowWatermark: Number(state.h),
      highWatermark: Number(state.h + logSize(options)),
      outstanding,
      pending,
      outOfDate: state.isOutOfDate,
      transferring: state.transferring !== undefined,
    })
    host.metric('pbft_view', Number(state.view))
    host.metric('pbft_executed', Number(state.lastExec))
    host.metric('pbft_low_watermark', Number(state.h))
    host.metric('pbft_requests_outstanding', outstanding)
  }
}
