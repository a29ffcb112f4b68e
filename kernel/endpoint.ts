import { networkInterfaces } from 'node:os'
import type { Settings } from './config/keys.js'
import type { peerKeys } from './config/peer-keys.js'
import type { Endpoint } from './hooks.js'

/** Who this peer is according to its configuration: the first value of the `endpoint` hook (spec/node.md §2.5). */
export function configuredEndpoint(settings: Settings<typeof peerKeys>): Endpoint {
  const id = settings['peer.id']
  const address = settings['peer.address']
  if (!settings['peer.addressAutoDetect']) return { id, address }
  return { id, address: firstExternalIpv4() + address.slice(address.lastIndexOf(':')) }
}

/** The first non-loopback IPv4 address in the system's order; empty if there is none, as in v0.6. */
function firstExternalIpv4(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  return addresses.find((entry) => entry.family === 'IPv4' && !entry.internal)?.address ?? ''
}
