import { networkInterfaces } from 'node:os'
import { status } from '@grpc/grpc-js'
import { PeerError } from '../../../kernel/index.js'

/** What a call tells of its caller; a part of grpc-js's. */
export interface Call {
  getPeer(): string
}

/**
 * Nothing authenticates callers of the peer listener, and these services give whole state and chain away, so they are for this machine alone unless the
 * site says otherwise.
 *
 * @throws PeerError ERR_LEDGER_REMOTE
 */
export function requireLocal(call: Call, allowRemote: boolean): void {
  if (allowRemote || isLocal(call.getPeer())) return
  throw new PeerError('ERR_LEDGER_REMOTE', 'the ledger tools of this peer answer callers of its own machine alone', {
    hint: 'run the command on the machine of the peer, or set ledger.tools.allowRemote there',
    grpcStatus: status.PERMISSION_DENIED,
  })
}

/** Whether an address, as `10.0.0.1:5123`, `[::1]:5123` or `unix:...`, is one of this machine. */
export function isLocal(peer: string): boolean {
  if (peer.startsWith('unix:')) return true
  const host = hostOf(peer)
  if (host.startsWith('127.') || host === '::1') return true
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host))
}

function hostOf(peer: string): string {
  const at = peer.lastIndexOf(':')
  const host = peer.slice(0, at < 0 ? peer.length : at).replace(/^\[|\]$/g, '')
  return host.replace(/^::ffff:/i, '').replace(/%.*$/, '')
}
