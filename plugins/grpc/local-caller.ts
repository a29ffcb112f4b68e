import { networkInterfaces } from 'node:os'

/** What a call tells of its caller; a part of grpc-js's. */
export interface LocatedCall {
  getPeer(): string
}

/** Whether a caller's address, as `10.0.0.1:5123`, `[::1]:5123` or `unix:...`, is one of this machine. */
export function isLocal(peer: string): boolean {
  if (peer.startsWith('unix:')) return true
  const host = hostOf(peer)
  if (host.startsWith('127.') || host === '::1') return true
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host))
}

/** The address that a caller has, without its port: its connections are those of one host. */
export function callerHost(call: LocatedCall): string {
  const peer = call.getPeer()
  return peer.startsWith('unix:') ? 'this machine' : hostOf(peer)
}

function hostOf(peer: string): string {
  const at = peer.lastIndexOf(':')
  const host = peer.slice(0, at < 0 ? peer.length : at).replace(/^\[|\]$/g, '')
  return host.replace(/^::ffff:/i, '').replace(/%.*$/, '')
}
