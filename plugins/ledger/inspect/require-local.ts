import { status } from '@grpc/grpc-js'
import { PeerError } from '../../../kernel/index.js'
import { isLocal, type LocatedCall } from '../../grpc/index.js'

/**
 * Nothing authenticates callers of the peer listener, and these services give whole state and chain away, so they are for this machine alone unless the
 * site says otherwise.
 *
 * @throws PeerError ERR_LEDGER_REMOTE
 */
export function requireLocal(call: LocatedCall, allowRemote: boolean): void {
  if (allowRemote || isLocal(call.getPeer())) return
  throw new PeerError('ERR_LEDGER_REMOTE', 'the ledger tools of this peer answer callers of its own machine alone', {
    hint: 'run the command on the machine of the peer, or set ledger.tools.allowRemote there',
    grpcStatus: status.PERMISSION_DENIED,
  })
}
