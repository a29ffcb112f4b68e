import { messageOf, PeerError } from '../../../kernel/index.js'
import type { StateTransfer } from '../consensus.js'

/**
 * A transfer, or why it was none, for whoever tries again later. Rejects only with ERR_STORE_WRITE: what this peer could not write no other source makes good, and it has
 * to end, as after any write that failed.
 */
export async function attemptTransfer(transfer: StateTransfer | undefined, target: Parameters<StateTransfer>[0]): Promise<Awaited<ReturnType<StateTransfer>>> {
  if (!transfer) return { reached: false, reason: `state transfer to height ${target.height} needs the network plugin, which this site does not have` }
  try {
    return await transfer(target)
  } catch (error) {
    if (error instanceof PeerError && error.code === 'ERR_STORE_WRITE') throw error
    return { reached: false, reason: messageOf(error) }
  }
}
