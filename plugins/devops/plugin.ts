import { definePlugin } from '../../kernel/index.js'
import { DevopsService } from '../../proto/index.js'
import { CHAINCODE } from '../chaincode/index.js'
import { CONSENSUS, FORWARDING } from '../consensus/index.js'
import { loggingKeys } from '../logging/index.js'
import { DeployCommand } from './commands/deploy.js'
import { InvokeCommand } from './commands/invoke.js'
import { QueryCommand } from './commands/query.js'
import { createDevops } from './devops.js'
import { devopsService } from './service.js'
import { DEVOPS } from './token.js'

/** Deploys, invokes and queries chaincode for clients on the peer listener (spec/node.md §5 Devops). */
export default definePlugin({
  name: 'devops',
  description: 'the Devops service: peer chaincode deploy, invoke and query',
  config: { 'logging.chaincode': loggingKeys['logging.chaincode'] },
  requires: [CHAINCODE, CONSENSUS],
  uses: [FORWARDING],
  provides: [DEVOPS],
  commands: [DeployCommand, InvokeCommand, QueryCommand],
  apply(peer) {
    peer.hooks.registerServices.tap(async (listeners) => {
      const chaincode = peer.use(CHAINCODE)
      const devops = createDevops({ chaincode, consensus: peer.use(CONSENSUS), clock: peer.clock, forwarding: peer.find(FORWARDING) })
      peer.provide(DEVOPS, devops)
      listeners.get('peer').add(DevopsService, devopsService(devops, chaincode))
    })
  },
})
