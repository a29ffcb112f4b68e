import { networkInterfaces } from 'node:os'

/** An address with the first non-loopback IPv4 address of this machine as its host; an empty host if there is none, as in v0.6 (spec/node.md §2.5). */
export function detectedAddress(address: string): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  const host = addresses.find((entry) => entry.family === 'IPv4' && !entry.internal)?.address ?? ''
  return host + address.slice(address.lastIndexOf(':'))
}
