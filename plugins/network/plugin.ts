import { definePlugin } from '../../kernel/index.js'
import { CHAINCODE } from '../chaincode/index.js'
import { CONSENSUS } from '../consensus/index.js'
import { peerService, peerServiceDefinition } from './service.js'

/** Takes ready-made transactions on the peer listener (spec/wire.md §14). */
export default definePlugin({
  name: 'network',
  description: 'the Peer service: takes ready-made transactions of clients and other peers',
  requires: [CHAINCODE, CONSENSUS],
  apply(peer) {
    peer.hooks.registerServices.tap(async (listeners) => {
      const parts = { chaincode: peer.use(CHAINCODE), consensus: peer.use(CONSENSUS) }
      listeners.get('peer').add(peerServiceDefinition, peerService(parts))
    })
  },
})
