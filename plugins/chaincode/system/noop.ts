import { ChaincodeInvocationSpec, Transaction, decode } from '../../../proto/index.js'
import type { Ledger } from '../../ledger/index.js'
import type { Chaincode } from '../api/index.js'

/**
 * v0.6's system chaincode `noop`: stores data on the chain as the argument of an invoke, and reads it back (spec/chaincode.md §15).
 */
export function createNoop(ledger: Pick<Ledger, 'transactionBytes'>): Chaincode {
  return {
    invoke(_stub, fn, args) {
      if (fn === '' || args.length > 0) throw new Error('Noop execute operation must have one single argument.')
    },

    query(_stub, fn, args) {
      if (fn !== 'getTran') throw new Error('Unsupported operation')
      const [txid] = args
      if (txid === undefined || args.length > 1) throw new Error('Incorrect number of arguments. Expecting 1 argument')
      const bytes = ledger.transactionBytes(txid)
      if (bytes === undefined) throw new Error('LedgerError - ResourceNotFound: ledger: resource not found')
      const spec = decode(ChaincodeInvocationSpec, decode(Transaction, bytes).payload).chaincodeSpec
      return spec?.ctorMsg?.args[0]
    },
  }
}
