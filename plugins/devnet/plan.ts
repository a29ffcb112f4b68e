import { join } from 'node:path'
import { PeerError } from '../../kernel/index.js'

/** What a devnet is made of, as `devnet.json` keeps it. */
export interface DevnetPlan {
  readonly validators: number
  readonly engine: string
  readonly tls: boolean
  /** REST of vp0; everything else follows from it. */
  readonly port: number
  /** Further keys of every peer, as on a command line. */
  readonly set: Readonly<Record<string, string>>
}

/** One peer of a devnet: where it listens, and where its files are. */
export interface PeerPlan {
  readonly id: string
  readonly directory: string
  readonly config: string
  readonly data: string
  readonly log: string
  readonly address: string
  readonly restAddress: string
  readonly eventsAddress: string
  readonly metricsAddress: string
  /** Profiles, where they are enabled. */
  readonly profileAddress: string
}

export const DEFAULT_PLAN: DevnetPlan = { validators: 4, engine: 'pbft', tls: false, port: 7050, set: {} }

/** Ports of one peer lie together: REST, the peer itself and the event hub as a v0.6 peer has them, at 0, 1 and 3 of its ten, then metrics and profiles. */
const PORTS_PER_PEER = 10
const [REST, PEER, EVENTS, METRICS, PROFILES] = [0, 1, 3, 4, 5]
const HIGHEST_PORT = 65_535
const MOST_VALIDATORS = 100

/** Keys that the devnet itself sets. */
const OWN_KEYS = [
  'peer.id',
  'peer.listenAddress',
  'peer.address',
  'peer.fileSystemPath',
  'peer.discovery.rootnode',
  'peer.validator.events.address',
  'peer.validator.consensus.plugin',
  'rest.address',
  'metrics.address',
  'peer.profile.listenAddress',
  'consensus.validators',
  'peer.tls.enabled',
  'peer.tls.cert.file',
  'peer.tls.key.file',
]

/** Throws ERR_USAGE for a plan that cannot be. */
export function checkPlan({ validators, port, set }: DevnetPlan): void {
  if (!Number.isInteger(validators) || validators < 1 || validators > MOST_VALIDATORS) {
    throw new PeerError('ERR_USAGE', `--validators takes a number from 1 to ${MOST_VALIDATORS}; found ${validators}`)
  }
  const highest = port + (validators - 1) * PORTS_PER_PEER + PROFILES
  if (!Number.isInteger(port) || port < 1024 || highest > HIGHEST_PORT) {
    throw new PeerError('ERR_USAGE', `--port takes a port from 1024 on with room for ${validators * PORTS_PER_PEER} up to ${HIGHEST_PORT}; found ${port}`)
  }
  const own = Object.keys(set).find((key) => OWN_KEYS.includes(key))
  if (own !== undefined) {
    throw new PeerError('ERR_USAGE', `--set ${own}: the devnet sets this key itself, for each peer`, {
      hint: 'use --validators, --engine, --tls, --port or --dir, or edit the file of one peer',
    })
  }
}

/** The peers of a plan, vp0 first. */
export function peersOf({ validators, port }: DevnetPlan, directory: string): readonly PeerPlan[] {
  return Array.from({ length: validators }, (_, index) => {
    const own = join(directory, `vp${index}`)
    const at = (offset: number): string => `127.0.0.1:${port + index * PORTS_PER_PEER + offset}`
    return {
      id: `vp${index}`,
      directory: own,
      config: join(own, 'peer.config.yaml'),
      data: join(own, 'data'),
      log: join(own, 'peer.log'),
      address: at(PEER),
      restAddress: at(REST),
      eventsAddress: at(EVENTS),
      metricsAddress: at(METRICS),
      profileAddress: at(PROFILES),
    }
  })
}
