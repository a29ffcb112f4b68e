import { resolve } from 'node:path'
import type { Clock, Logger, Settings, peerKeys } from '../../../kernel/index.js'
import { ChaincodeSpec_Type } from '../../../proto/index.js'
import type { AwaitedChaincodes } from '../peer/awaited.js'
import type { ChaincodeLauncher } from '../runtime.js'
import type { SandboxKind } from '../../sandbox/index.js'
import { type PeerForChaincode, chaincodeEnvironment, golangCommand, javaCommand } from './command.js'
import { dockerEngine } from './docker/engine.js'
import { hostConfigOf } from './docker/host-config.js'
import { createDockerLauncher } from './docker/launcher.js'
import type { externalKeys } from './keys.js'
import { createProcessLauncher } from './process/launcher.js'
import { packagers } from './source/pack.js'

/** What the launchers of v0.6's languages need. */
export interface ExternalOptions {
  readonly settings: Settings<typeof externalKeys> & Settings<typeof peerKeys>
  readonly awaited: AwaitedChaincodes
  /** How chaincode in containers reaches this peer. */
  readonly peer: PeerForChaincode
  /** The certificate that containers trust, with TLS. */
  readonly certificate: Uint8Array | undefined
  readonly sandbox: 'auto' | SandboxKind
  readonly keepaliveMs: number
  readonly registerTimeoutMs: number
  readonly log: Logger
  readonly clock: Clock
}

const MIB = 1024 * 1024
/** Go's names of architectures. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', arm64: 'arm64', ppc64: 'ppc64le', s390x: 's390x' }

/** Launchers of GOLANG, JAVA and CAR chaincode, as `chaincode.launcher` says. */
export function externalLaunchers(options: ExternalOptions): readonly ChaincodeLauncher[] {
  const { settings, peer, log, clock } = options
  const goPath = settings['chaincode.golang.gopath'] || (process.env['GOPATH'] ?? '')
  const pack = packagers({
    goPath,
    goCommand: settings['chaincode.golang.command'],
    fetchLimitMs: settings['chaincode.deploytimeout'],
    build: {
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      projectVersion: settings['chaincode.projectVersion'],
      ...(options.certificate === undefined || peer.tls === undefined ? {} : { tls: { certificate: options.certificate, file: peer.tls.certificateFile } }),
    },
    dockerfiles: {
      golang: settings['chaincode.golang.Dockerfile'],
      java: settings['chaincode.java.Dockerfile'],
      car: settings['chaincode.car.Dockerfile'],
    },
  })
  switch (settings['chaincode.launcher']) {
    case 'none':
      return []
    case 'process':
      return [
        createProcessLauncher({
          pack: pack.golang,
          log: log.in('go'),
          clock,
          sandbox: options.sandbox,
          folder: resolve(settings['peer.fileSystemPath'], 'chaincode'),
          goCommand: settings['chaincode.golang.command'],
          goPath,
          memoryBytes: settings['chaincode.golang.memory'] * MIB,
          buildMemoryBytes: settings['chaincode.golang.buildMemory'] * MIB,
          keepaliveMs: options.keepaliveMs,
          registerTimeoutMs: options.registerTimeoutMs,
        }),
      ]
    case 'docker':
      return dockerLaunchers(options, pack)
    default:
      return assertNever(settings['chaincode.launcher'])
  }
}

function assertNever(launcher: never): never {
  throw new Error(`unknown launcher ${String(launcher)}`)
}

function dockerLaunchers({ settings, awaited, peer, log }: ExternalOptions, pack: ReturnType<typeof packagers>): readonly ChaincodeLauncher[] {
  const tls = settings['vm.docker.tls.enabled']
    ? { cert: settings['vm.docker.tls.cert.file'], key: settings['vm.docker.tls.key.file'], ca: settings['vm.docker.tls.ca.file'] }
    : undefined
  const common = {
    engine: dockerEngine({ endpoint: settings['vm.endpoint'], tls }),
    awaited,
    networkId: settings['peer.networkId'],
    peerId: settings['peer.id'],
    environment: (name: string) => Object.entries(chaincodeEnvironment(name, peer)).map(([variable, value]) => `${variable}=${value}`),
    host: hostConfigOf(settings),
    log: log.in('docker'),
  }
  const installed = (name: string) => golangCommand(`${settings['chaincode.installpath']}${name}`, peer)
  return [
    createDockerLauncher({ ...common, type: ChaincodeSpec_Type.GOLANG, pack: pack.golang, command: installed }),
    createDockerLauncher({ ...common, type: ChaincodeSpec_Type.CAR, pack: pack.car, command: installed }),
    createDockerLauncher({ ...common, type: ChaincodeSpec_Type.JAVA, pack: pack.java, command: (name) => javaCommand(name, peer) }),
  ]
}
