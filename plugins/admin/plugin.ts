import { PeerError, definePlugin } from '../../kernel/index.js'
import { AdminService, type Empty, type ServerStatus, ServerStatus_StatusCode } from '../../proto/index.js'
import { unary } from '../grpc/index.js'
import { StatusCommand } from './commands/status.js'
import { StopCommand } from './commands/stop.js'
import { adminKeys } from './keys.js'

const PERMISSION_DENIED = 7

/** Answers status and stop requests on the peer listener (spec/node.md §5 Admin). */
export default definePlugin({
  name: 'admin',
  description: 'the Admin service: peer node status and stop',
  config: adminKeys,
  commands: [StatusCommand, StopCommand],
  apply(peer) {
    peer.hooks.registerServices.tap(async (listeners) => {
      const { 'admin.allowStop': mayStop } = peer.settings(adminKeys)
      const started: ServerStatus = { status: ServerStatus_StatusCode.STARTED }
      listeners.get('peer').add(AdminService, {
        getStatus: unary(async (_request: Empty) => started),
        startServer: unary(async (_request: Empty) => started),
        stopServer: unary(async (_request: Empty): Promise<ServerStatus> => {
          if (!mayStop)
            throw new PeerError('ERR_ADMIN_REFUSED', 'stopping this peer over the network is switched off (admin.allowStop)', { grpcStatus: PERMISSION_DENIED })
          // The reply goes out first; v0.6 exits before it answers, so both are compatible.
          setImmediate(() => peer.requestStop('Admin.StopServer'))
          return { status: ServerStatus_StatusCode.STOPPED }
        }),
      })
    })
  },
})
