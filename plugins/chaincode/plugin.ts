import { readFileSync } from 'node:fs'
import { type Endpoint, PeerError, definePlugin, messageOf, peerKeys } from '../../kernel/index.js'
import { grpcKeys } from '../grpc/index.js'
import { LEDGER, validatorKeys } from '../ledger/index.js'
import { createInProcessRuntime } from './api/in-process.js'
import { ServeCommand } from './commands/serve.js'
import { ChaincodeCounters } from './counters.js'
import { SandboxCheck } from './doctor.js'
import { externalKeys } from './external/keys.js'
import { externalLaunchers } from './external/launchers.js'
import { chaincodeKeys, compatibilityKeys } from './keys.js'
import { createNodeLauncher } from './node/index.js'
import { type ChaincodePeer, createChaincodeSupport } from './peer/chaincode-support.js'
import { AwaitedChaincodes } from './peer/awaited.js'
import { admission, createRegisterService, registerServiceDefinition } from './peer/stream/register-service.js'
import { enabledSystemChaincodes } from './system/enabled.js'
import { CHAINCODE, CHAINCODE_COUNTERS } from './token.js'

const TLS_KEYS = {
  'peer.tls.enabled': grpcKeys['peer.tls.enabled'],
  'peer.tls.cert.file': grpcKeys['peer.tls.cert.file'],
  'peer.tls.rootcert.file': grpcKeys['peer.tls.rootcert.file'],
  'peer.tls.serverhostoverride': grpcKeys['peer.tls.serverhostoverride'],
}
const KEYS = { ...chaincodeKeys, ...externalKeys, ...compatibilityKeys, ...validatorKeys }

/** Runs chaincode: deployed, registered by itself, or part of the peer (spec/chaincode.md). */
export default definePlugin({
  name: 'chaincode',
  description: 'runs chaincode: deployed TypeScript in a sandbox, v0.6 chaincode that registers itself, system chaincode inside the peer',
  config: KEYS,
  requires: [LEDGER],
  provides: [CHAINCODE, CHAINCODE_COUNTERS],
  commands: [ServeCommand, SandboxCheck],
  startFlags: {
    '--peer-chaincodedev': {
      description: 'development mode: you start chaincodes, and they register themselves',
      set: { 'chaincode.mode': 'dev', 'peer.validator.enabled': 'true' },
    },
  },
  apply(peer) {
    let running: ChaincodePeer | undefined
    let endpoint: Endpoint | undefined
    peer.hooks.start.tap(async (started) => {
      endpoint = started.endpoint
    })
    peer.hooks.stop.tap(async () => {
      await running?.stop('the peer stops')
    })
    peer.hooks.registerServices.tap(async (listeners) => {
      const settings = peer.settings({ ...KEYS, ...TLS_KEYS, ...peerKeys })
      const mode = settings['chaincode.mode']
      const compatibility = settings['peer.validator.compatibility']
      const launcher = settings['chaincode.launcher']
      if (launcher === 'none' && mode === 'net' && compatibility === 'v0.6') throw noLauncher()
      const ledger = peer.use(LEDGER)
      const counters = new ChaincodeCounters()
      const awaited = new AwaitedChaincodes()
      const keepaliveMs = settings['chaincode.keepalive'] * 1000
      const registerTimeoutMs = settings['chaincode.registertimeout']
      // What a chaincode trusts, as every client of this site.
      const certificateFile = settings['peer.tls.enabled'] ? settings['peer.tls.rootcert.file'] || (settings['peer.tls.cert.file'] ?? '') : undefined
      const tls = certificateFile === undefined ? undefined : { certificateFile, serverHostOverride: settings['peer.tls.serverhostoverride'] }
      const external = externalLaunchers({
        settings,
        awaited,
        peer: {
          get address() {
            return endpoint?.address ?? settings['peer.address']
          },
          tls,
        },
        certificate: certificateFile === undefined || launcher !== 'docker' ? undefined : readCertificate(certificateFile),
        sandbox: settings['chaincode.sandbox'],
        keepaliveMs,
        registerTimeoutMs,
        log: peer.log,
        clock: peer.clock,
      })
      const support = createChaincodeSupport({
        ledger,
        clock: peer.clock,
        log: peer.log,
        counters,
        launchers: [
          createNodeLauncher({
            log: peer.log.in('node'),
            clock: peer.clock,
            sandbox: settings['chaincode.sandbox'],
            memoryBytes: settings['chaincode.memory'] * 1024 * 1024,
          }),
          ...external,
        ],
        inProcess: (name, chaincode) => createInProcessRuntime(name, chaincode, { log: peer.log.in(name) }),
        settings: {
          mode,
          compatibility,
          launcher,
          startupTimeoutMs: settings['chaincode.startuptimeout'],
          executeTimeoutMs: settings['chaincode.executetimeout'],
          maxQueries: settings['chaincode.maxqueries'],
          networkId: settings['peer.networkId'],
          peerId: settings['peer.id'],
        },
      })
      for (const { name, chaincode } of enabledSystemChaincodes(settings['chaincode.system'], compatibility, ledger)) support.registerSystem(name, chaincode)
      peer.provide(CHAINCODE, support)
      peer.provide(CHAINCODE_COUNTERS, counters)
      running = support
      const service = createRegisterService({
        clock: peer.clock,
        log: peer.log.in('register'),
        admit: admission({ running: support.runningChaincodes, awaited, mayRegister: (name) => support.whyNotRegister(name) }),
        keepaliveMs,
        registerTimeoutMs,
        maxStreams: settings['chaincode.maxstreams'],
      })
      listeners.get('peer').add(registerServiceDefinition, service)
    })
  },
})

/** A validator that cannot run what the network deploys would agree with nobody. */
function noLauncher(): PeerError {
  return new PeerError(
    'ERR_CHAINCODE_LAUNCHER',
    'chaincode.launcher is none, but peer.validator.compatibility is v0.6 and chaincode.mode is net: this peer could not run the Go, Java and car chaincode that the network deploys, so its blocks would differ',
    { hint: 'set chaincode.launcher to docker or process; or chaincode.mode to dev, with chaincode that you start yourself' },
  )
}

function readCertificate(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new PeerError(
      'ERR_TLS_FILE',
      `peer.tls.rootcert.file, or else peer.tls.cert.file: cannot read ${file}, which goes into packages of chaincode: ${messageOf(cause)}`,
      { cause },
    )
  }
}
