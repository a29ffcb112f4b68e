import { Block, BlockState, decode, encode, Message_Type, PeerEndpoint_Type, type Timestamp } from '../../../proto/index.js'
import type { CommittedBlock, Ledger } from '../../ledger/index.js'
import { encodeMessage } from '../messages.js'
import type { PeerNetwork } from '../network.js'

const NO_BYTES = new Uint8Array(0)

/**
 * As the noops of v0.6 does, tells peers that do not validate of a block: without payloads, with its state delta (spec/wire.md §11.3). They ignore it.
 * A neighbour that does not take it misses it.
 */
export function announceBlock(network: Pick<PeerNetwork, 'linksOf'>, ledger: Pick<Ledger, 'stateDelta'>, committed: CommittedBlock, time: Timestamp): void {
  const links = network.linksOf(PeerEndpoint_Type.NON_VALIDATOR)
  if (links.length === 0) return
  const block = decode(Block, committed.bytes)
  for (const transaction of block.transactions) transaction.payload = NO_BYTES
  const payload = encode(BlockState, { block, stateDelta: ledger.stateDelta(committed.number) ?? NO_BYTES })
  const message = encodeMessage(Message_Type.SYNC_BLOCK_ADDED, payload, time)
  for (const link of links) link.sendEncoded('sync', message)
}
