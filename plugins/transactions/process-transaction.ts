import { randomUUID } from 'node:crypto'
import { PeerError, messageOf } from '../../kernel/index.js'
import { type Transaction, Transaction_Type, transactionIdBytes } from '../../proto/index.js'
import type { ChaincodeSupport } from '../chaincode/index.js'
import { type Consensus, type Forwarding, refuseReserved } from '../consensus/index.js'
import type { Submission } from './submission.js'

/** What transactions are handed to. */
export interface ProcessTransactionParts {
  readonly chaincode: Pick<ChaincodeSupport, 'query'>
  readonly consensus: Pick<Consensus, 'submit' | 'valid'>
  /** Of a site that connects to other peers. */
  readonly forwarding?: Forwarding | undefined
}

/**
 * Takes a transaction that somebody else made: a query is executed at once, everything else is ordered, whatever its type (spec/wire.md §14).
 * A peer that does not validate hands everything to a validator.
 *
 * `host`: where it came from, a peer that does not validate or a client; each has a fair share of what may wait.
 *
 * @returns a query's result, or the txid of what was accepted: acceptance is not execution
 * @throws PeerError with the text that v0.6 answers
 */
export async function processTransaction(
  { bytes, transaction }: Submission,
  { chaincode, consensus, forwarding }: ProcessTransactionParts,
  host?: string,
): Promise<Uint8Array> {
  refuseReserved(transaction)
  if (forwarding?.isNeeded) return forwarding.forward(bytes)
  if (transaction.type === Transaction_Type.CHAINCODE_QUERY) {
    if (!consensus.valid) throw new PeerError('ERR_STATE_BEHIND', 'Error: state may be inconsistent, cannot query', { retryable: true })
    return query(transaction, chaincode)
  }
  // Nothing could be written under no txid: on originals the first write crashes the peer.
  if (transaction.txid === '') throw new PeerError('ERR_TRANSACTION_ID', 'the transaction has no txid')
  await consensus.submit(bytes, { transaction, ...(host === undefined ? {} : { origin: host }) })
  return transactionIdBytes(bytes)
}

async function query(transaction: Transaction, chaincode: Pick<ChaincodeSupport, 'query'>): Promise<Uint8Array> {
  try {
    // An id that nobody else can choose: a query under the txid of a transaction would make calls of that transaction fail on this peer alone.
    return await chaincode.query({ ...transaction, txid: randomUUID() })
  } catch (cause) {
    throw new PeerError('ERR_QUERY_FAILED', `Error:${messageOf(cause)}`, { cause })
  }
}
