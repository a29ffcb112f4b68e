import { type KeyTree, keyTree } from '../terminal/index.js'
import type { DevnetPlan, PeerPlan } from './plan.js'

/** What the file of one peer is made of. */
export interface SiteParts {
  readonly plan: DevnetPlan
  readonly peers: readonly PeerPlan[]
  readonly peer: PeerPlan
  /** The site that is extended: a module name or a file. */
  readonly base: string
  readonly certificate: { readonly certificate: string; readonly key: string } | undefined
}

/** The `peer.config.yaml` of one peer. */
export function siteFile({ plan, peers, peer, base, certificate }: SiteParts): string {
  return [
    `# ${peer.id} of a devnet (peer devnet up). What is changed here counts when this peer starts again:`,
    `#   peer devnet down ${peer.id} && peer devnet up`,
    '# Every key with its value and origin: peer config show --origin, in this directory.',
    `extends: ${JSON.stringify(base)}`,
    ...render(keyTree(Object.entries(valuesOf(plan, peers, peer, certificate))), ''),
    '',
  ].join('\n')
}

function valuesOf({ engine, tls, validators, set }: DevnetPlan, peers: readonly PeerPlan[], peer: PeerPlan, certificate: SiteParts['certificate']) {
  const others = peers.filter(({ id }) => id !== peer.id)
  return {
    'peer.id': peer.id,
    'peer.listenAddress': peer.address,
    'peer.address': peer.address,
    'peer.fileSystemPath': peer.data,
    // Every other one: whichever peers are up, they find each other.
    'peer.discovery.rootnode': others.map(({ address }) => address),
    'peer.validator.events.address': peer.eventsAddress,
    'peer.validator.consensus.plugin': engine,
    ...(tls && certificate ? { 'peer.tls.enabled': true, 'peer.tls.cert.file': certificate.certificate, 'peer.tls.key.file': certificate.key } : {}),
    'rest.address': peer.restAddress,
    'metrics.address': peer.metricsAddress,
    'peer.profile.listenAddress': peer.profileAddress,
    'consensus.validators': peers.map(({ id }) => id),
    ...(engine.toLowerCase() === 'pbft' ? { 'pbft.general.N': validators, 'pbft.general.f': Math.floor((validators - 1) / 3) } : {}),
    ...set,
  }
}

/** JSON is YAML: strings are written as such. */
function render(tree: KeyTree, indent: string): string[] {
  return [...tree].flatMap(([name, value]) => (value instanceof Map ? [`${indent}${name}:`, ...render(value, `${indent}  `)] : [`${indent}${name}: ${value}`]))
}
