import { PeerError, definePlugin } from '../../kernel/index.js'
import { type BlockCount, type BlockNumber, type BlockchainInfo, type Empty, OpenchainService, type PeersMessage, publicBlock } from '../../proto/index.js'
import { unary } from '../grpc/index.js'
import { LEDGER, type Ledger } from '../ledger/index.js'
import { NETWORK } from '../network/index.js'

/** Answers questions about the chain on the peer listener (spec/node.md §5 Openchain). */
export default definePlugin({
  name: 'openchain',
  description: 'the Openchain service: chain info and blocks',
  requires: [LEDGER],
  uses: [NETWORK],
  apply(peer) {
    peer.hooks.registerServices.tap(async (listeners) => {
      const ledger = peer.use(LEDGER)
      listeners.get('peer').add(OpenchainService, {
        getBlockchainInfo: unary(async (_request: Empty): Promise<BlockchainInfo> => {
          requireBlocks(ledger)
          return ledger.info()
        }),
        getBlockByNumber: unary(async ({ number }: BlockNumber): Promise<Uint8Array> => {
          const bytes = number < ledger.height() ? ledger.blockBytes(number) : undefined
          // A hole below the height crashes the original; Weft answers as for any other missing block.
          if (bytes === undefined) throw new PeerError('ERR_BLOCK_NOT_FOUND', 'openchain: resource not found', { details: { number } })
          return publicBlock(bytes)
        }),
        getBlockCount: unary(async (_request: Empty): Promise<BlockCount> => {
          requireBlocks(ledger)
          return { count: ledger.height() }
        }),
        // Connected peers, never oneself: a peer without the network plugin is connected to nobody.
        getPeers: unary(async (_request: Empty): Promise<PeersMessage> => ({ peers: [...(peer.find(NETWORK)?.peers() ?? [])] })),
      })
    })
  },
})

function requireBlocks(ledger: Ledger): void {
  if (ledger.height() === 0n) throw new PeerError('ERR_CHAIN_EMPTY', 'No blocks in blockchain.')
}
