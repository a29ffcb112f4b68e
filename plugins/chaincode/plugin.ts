import { definePlugin, peerKeys } from '../../kernel/index.js'
import { LEDGER, validatorKeys } from '../ledger/index.js'
import { createInProcessRuntime } from './api/in-process.js'
import { ServeCommand } from './commands/serve.js'
import { SandboxCheck } from './doctor.js'
import { chaincodeKeys, compatibilityKeys } from './keys.js'
import { createNodeLauncher } from './node/index.js'
import { type ChaincodePeer, createChaincodeSupport } from './peer/chaincode-support.js'
import { createRegisterService, registerServiceDefinition } from './peer/stream/register-service.js'
import { enabledSystemChaincodes } from './system/enabled.js'
import { CHAINCODE } from './token.js'

const KEYS = { ...chaincodeKeys, ...compatibilityKeys, ...validatorKeys }

/** Runs chaincode: deployed, registered by itself, or part of the peer (spec/chaincode.md). */
export default definePlugin({
  name: 'chaincode',
  description: 'runs chaincode: deployed TypeScript in a sandbox, v0.6 chaincode that registers itself, system chaincode inside the peer',
  config: KEYS,
  requires: [LEDGER],
  provides: [CHAINCODE],
  commands: [ServeCommand, SandboxCheck],
  startFlags: {
    '--peer-chaincodedev': {
      description: 'development mode: you start chaincodes, and they register themselves',
      set: { 'chaincode.mode': 'dev', 'peer.validator.enabled': 'true' },
    },
  },
  apply(peer) {
    let running: ChaincodePeer | undefined
    peer.hooks.stop.tap(async () => {
      await running?.stop('the peer stops')
    })
    peer.hooks.registerServices.tap(async (listeners) => {
      const settings = peer.settings({ ...KEYS, ...peerKeys })
      const mode = settings['chaincode.mode']
      const compatibility = settings['peer.validator.compatibility']
      const ledger = peer.use(LEDGER)
      const support = createChaincodeSupport({
        ledger,
        clock: peer.clock,
        log: peer.log,
        launchers: [
          createNodeLauncher({
            log: peer.log.in('node'),
            clock: peer.clock,
            sandbox: settings['chaincode.sandbox'],
            memoryBytes: settings['chaincode.memory'] * 1024 * 1024,
          }),
        ],
        inProcess: (name, chaincode) => createInProcessRuntime(name, chaincode, { log: peer.log.in(name) }),
        settings: {
          mode,
          compatibility,
          startupTimeoutMs: settings['chaincode.startuptimeout'],
          executeTimeoutMs: settings['chaincode.executetimeout'],
          maxQueries: settings['chaincode.maxqueries'],
          networkId: settings['peer.networkId'],
          peerId: settings['peer.id'],
        },
      })
      for (const { name, chaincode } of enabledSystemChaincodes(settings['chaincode.system'], compatibility, ledger)) support.registerSystem(name, chaincode)
      peer.provide(CHAINCODE, support)
      running = support
      const service = createRegisterService({
        clock: peer.clock,
        log: peer.log.in('register'),
        running: support.runningChaincodes,
        mayRegister: (name) => support.whyNotRegister(name),
        keepaliveMs: settings['chaincode.keepalive'] * 1000,
        registerTimeoutMs: settings['chaincode.registertimeout'],
        maxStreams: settings['chaincode.maxstreams'],
      })
      listeners.get('peer').add(registerServiceDefinition, service)
    })
  },
})
