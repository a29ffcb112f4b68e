import { type Logger, PeerError, definePlugin } from '../../kernel/index.js'
import { type PeerEndpoint, PeerEndpoint_Type } from '../../proto/index.js'
import { chaincodeKeys } from '../chaincode/index.js'
import { DEVOPS } from '../devops/index.js'
import { HTTP, type HttpListener } from '../http/index.js'
import { LEDGER, validatorKeys } from '../ledger/index.js'
import { NETWORK } from '../network/index.js'
import { failureLog } from './failed.js'
import { restKeys } from './keys.js'
import { originPolicy } from './origins.js'
import { createRegistrar } from './registrar.js'
import { REST } from './token.js'

const modeKeys = { 'chaincode.mode': chaincodeKeys['chaincode.mode'] }

/** REST on a listener of its own (spec/node.md §6). See README.md. */
export default definePlugin({
  name: 'rest',
  description: 'REST: the routes of v0.6, JSON-RPC at /chaincode, /openapi.json and /docs',
  config: { ...restKeys, ...modeKeys, ...validatorKeys },
  requires: [DEVOPS, HTTP, LEDGER],
  uses: [NETWORK],
  provides: [REST],
  apply(peer) {
    let directory = ''
    let self: PeerEndpoint = { ID: undefined, address: '', type: PeerEndpoint_Type.UNDEFINED, pkiID: new Uint8Array(0) }
    let listener: HttpListener | undefined

    peer.hooks.db.tap(async (stores) => {
      directory = stores.directory
    })
    peer.hooks.registerServices.tap(async () => {
      const settings = peer.settings(restKeys)
      if (settings['rest.enabled']) {
        const declared = peer.use(HTTP).declare('rest', settings['rest.address'], { key: 'rest.address' })
        const parts = {
          devops: () => peer.use(DEVOPS),
          ledger: () => peer.use(LEDGER),
          self: () => self,
          connected: () => peer.find(NETWORK)?.peers() ?? [],
          registrar: createRegistrar(() => directory, settings['rest.validPatterns.enrollmentID'], enrollNobody(peer.log)),
          isDevelopment: peer.settings(modeKeys)['chaincode.mode'] === 'dev',
          origins: originPolicy(settings['rest.cors.origins']),
          failed: failureLog(peer.log, peer.clock),
        }
        declared.add(async (app) => {
          const { restRoutes } = await import('./routes.js')
          await restRoutes(app, parts)
        })
        peer.onDispose(() => declared.remove())
        listener = declared
      }
      peer.provide(REST, { listener })
    })
    peer.hooks.start.tap(async ({ endpoint }) => {
      const type = peer.settings(validatorKeys)['peer.validator.enabled'] ? PeerEndpoint_Type.VALIDATOR : PeerEndpoint_Type.NON_VALIDATOR
      self = { ...self, ID: { name: endpoint.id }, address: endpoint.address, type }
      if (listener === undefined) return
      await peer.use(HTTP).open()
      announce(listener, peer.log)
    })
  },
})

/** v0.6's words when its membership service cannot be reached, which is what a client can do something about. */
function enrollNobody(log: Logger): (enrollId: string) => Promise<void> {
  return async (enrollId) => {
    log.in('login').warning(`cannot log ${enrollId} in: this peer has no plugin that speaks to a membership service`)
    throw new PeerError('ERR_MEMBERSHIP_UNREACHABLE', 'rpc error: code = 14 desc = grpc: RPC failed fast due to transport failure', { grpcStatus: 14 })
  }
}

function announce({ address, secure }: HttpListener, log: Logger): void {
  const url = `${secure ? 'https' : 'http'}://${address}`
  if (isLoopback(address)) log.in('start').info(`REST on ${url}: for this machine only; rest.address opens it to others, nothing authenticates callers`)
  else log.in('start').warning(`REST on ${url} is open to the network, and nothing authenticates callers: whoever reaches it can deploy and invoke`)
}

function isLoopback(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(':'))
  return /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(host)
}
