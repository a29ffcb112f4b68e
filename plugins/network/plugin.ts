import { definePlugin } from '../../kernel/index.js'
import { CHAINCODE } from '../chaincode/index.js'
import { CONSENSUS } from '../consensus/index.js'
import { ListCommand } from './commands/list.js'
import { LoginCommand } from './commands/login.js'
import { peerService, peerServiceDefinition } from './service.js'

/** Takes ready-made transactions on the peer listener (spec/wire.md §14). */
export default definePlugin({
  name: 'network',
  description: 'the Peer service: takes ready-made transactions; peer network list',
  requires: [CHAINCODE, CONSENSUS],
  commands: [ListCommand, LoginCommand],
  apply(peer) {
    peer.hooks.registerServices.tap(async (listeners) => {
      const parts = { chaincode: peer.use(CHAINCODE), consensus: peer.use(CONSENSUS) }
      listeners.get('peer').add(peerServiceDefinition, peerService(parts))
    })
  },
})
