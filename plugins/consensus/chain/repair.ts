import type { Clock, Logger } from '../../../kernel/index.js'
import { attemptTransfer } from '../execution/attempt-transfer.js'
import type { StateTransfer } from '../consensus.js'
import type { HostLedger } from '../execution/execution.js'
import type { AgreedHead, HeadWatch } from './heads.js'

const ASK_EVERY_MS = 500
/** Own blocks whose hashes are kept to find the first that differs. */
const MAX_COMPARED = 1000n

export interface RepairOptions {
  readonly watch: HeadWatch
  readonly ledger: Pick<HostLedger, 'height'>
  readonly transfer: StateTransfer | undefined
  readonly clock: Pick<Clock, 'setTimer'>
  readonly log: Logger
  readonly isOver: () => boolean
}

/**
 * Brings a ledger that has parted from the others to their chain: asks for heads until enough members agree on one that is not below the own head, and
 * transfers to it; tries again until it succeeds or the peer stops. Rejects with ERR_STORE_WRITE. Resolves with the number of the first block that differed, if that can still be told.
 */
export async function repair(found: AgreedHead, { watch, ledger, transfer, clock, log, isOver }: RepairOptions): Promise<bigint | undefined> {
  const own = hashesUpTo(watch, ledger.height())
  while (!isOver()) {
    watch.query()
    await new Promise<void>((resolve) => void clock.setTimer(ASK_EVERY_MS, resolve))
    const target = watch.agreedFrom(ledger.height() > found.height ? ledger.height() : found.height)
    if (!target || isOver()) continue
    const result = await attemptTransfer(transfer, target)
    if (result.reached) break
    log.error('this validator could not be brought to the chain of the others yet', { target: target.height, reason: result.reason })
  }
  watch.replaced()
  const differing = [...own].find(([height, hash]) => watch.ownHash(height) !== hash)
  return differing && differing[0] - 1n
}

/** Own hashes by height, ascending. */
function hashesUpTo(watch: HeadWatch, height: bigint): Map<bigint, string> {
  const hashes = new Map<bigint, string>()
  for (let at = height > MAX_COMPARED ? height - MAX_COMPARED : 1n; at <= height; at++) {
    const hash = watch.ownHash(at)
    if (hash !== undefined) hashes.set(at, hash)
  }
  return hashes
}
