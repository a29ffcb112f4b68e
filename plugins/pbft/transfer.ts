import { BlockchainInfo, decode, orUndefined } from '../../proto/index.js'
import type { MemberIndex } from '../consensus/index.js'
import { fromBase64 } from './messages.js'
import type { Replica, Target } from './replica.js'

/** Starts a state transfer (spec/consensus.md §8.5); at the beginning to the own head, which makes it a checkpoint (§8.7). */
export function startTransfer(r: Replica, target?: Target): void {
  invalidate(r)
  if (target) retryTransfer(r, target)
  else skipTo(r, { n: r.lastExec, id: r.host.head.blob, members: [] })
}

/** Goes to a target, or the highest known, unless that leads backwards (§15 W33) or something is being executed or transferred. */
export function retryTransfer(r: Replica, target = r.target): void {
  if (r.currentExec !== undefined || r.transferring || !target || target.n < r.h || target.n <= r.lastExec) return
  r.log('info', `transferring the state of number ${target.n} from replicas ${target.members.join(', ')}`)
  skipTo(r, target)
}

/** A target that members vouch for; the highest is kept. Undefined: its id is none. */
export function learnTarget(r: Replica, n: number, id: string, members: readonly MemberIndex[]): Target | undefined {
  const bytes = fromBase64(id)
  const target = bytes && { n, id: bytes, members }
  if (!target) r.log('warning', `the checkpoint of number ${n} is no Base64: ${id.slice(0, 100)}`)
  else if (r.target === undefined || r.target.n < n) r.target = target
  return target
}

export const hasUnreachedTarget = (r: Replica): boolean => r.target !== undefined && r.target.n > r.executedTo

/** Whether the others are further: something is decided that cannot be executed here yet, or a state is known that is not here. */
export function lags(r: Replica): boolean {
  return hasUnreachedTarget(r) || (r.currentExec === undefined && [...r.slots.values()].some(({ n, committed }) => committed !== undefined && n > r.lastExec))
}

/** From now on nothing is executed, and queries are refused, until a transfer is done. */
export function invalidate(r: Replica): void {
  if (!r.isOutOfDate) r.host.setValid(false)
  r.isOutOfDate = true
}

function skipTo(r: Replica, target: Target): void {
  const info = orUndefined(() => decode(BlockchainInfo, target.id))
  if (!info) return r.log('warning', `the checkpoint of number ${target.n} is no chain info: it cannot be a target`)
  r.transferring = target
  // After a failure anybody may help, as in v0.6 (§2.5).
  r.host.transferTo({ height: info.height, hash: info.currentBlockHash, members: target === r.failed ? [] : target.members })
}
