import { messageOf, PeerError } from '../../kernel/index.js'
import { canonicalTransaction, decode, Transaction } from '../../proto/index.js'
import { namesSuccession } from './swap/calls.js'

/** A transaction's canonical bytes. Throws ERR_CONSENSUS_NOT_A_TRANSACTION. */
export function canonical(bytes: Uint8Array): Uint8Array {
  try {
    return canonicalTransaction(bytes)
  } catch (cause) {
    throw new PeerError('ERR_CONSENSUS_NOT_A_TRANSACTION', `expected a serialised transaction; found ${bytes.length} bytes: ${messageOf(cause)}`, {
      cause,
      grpcStatus: 3,
    })
  }
}

/** Whose name is reserved: only hosts themselves make calls of the succession (design: hot swap). Throws ERR_CONSENSUS_RESERVED. */
export function refuseReserved(transaction: Pick<Transaction, 'chaincodeID' | 'payload'>): void {
  if (!namesSuccession(transaction)) return
  // All doors show the message, and few a hint.
  const instead = 'the consensus engine is changed with peer consensus swap, on the machine of a validator'
  throw new PeerError('ERR_CONSENSUS_RESERVED', `a transaction addressed to 'consensus' is not taken from clients: the name is reserved; ${instead}`, {
    grpcStatus: 7,
  })
}

/** As `refuseReserved`, of bytes that may be none. */
export function refuseReservedBytes(transactionBytes: Uint8Array): void {
  refuseReserved(decode(Transaction, canonical(transactionBytes)))
}
