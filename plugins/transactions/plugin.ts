import { definePlugin } from '../../kernel/index.js'
import { CHAINCODE } from '../chaincode/index.js'
import { CONSENSUS, FORWARDING } from '../consensus/index.js'
import { transactionService, transactionServiceDefinition } from './service.js'

/** Takes ready-made transactions on the peer listener (spec/wire.md §14). */
export default definePlugin({
  name: 'transactions',
  description: 'takes ready-made transactions from clients and other peers',
  requires: [CHAINCODE, CONSENSUS],
  uses: [FORWARDING],
  apply(peer) {
    peer.hooks.registerServices.tap(async (listeners) => {
      const parts = { chaincode: peer.use(CHAINCODE), consensus: peer.use(CONSENSUS), forwarding: peer.find(FORWARDING) }
      listeners.get('peer').add(transactionServiceDefinition, transactionService(parts))
    })
  },
})
