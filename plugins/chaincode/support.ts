import type { ChaincodeDeploymentSpec, ChaincodeSpec, Transaction } from '../../proto/index.js'
import type { ExecutedTransaction, LedgerBatch } from '../ledger/index.js'
import type { Chaincode } from './api/index.js'

/** A transaction as it was ordered: its canonical bytes and their decoding. */
export interface OrderedTransaction {
  readonly bytes: Uint8Array
  readonly transaction: Transaction
}

/** What sets a system chaincode apart. */
export interface SystemChaincodeOptions {
  /** False: other chaincodes cannot call or query it (the consensus record). Default true. */
  readonly callable?: boolean
}

/** Executes chaincode (spec/chaincode.md). */
export interface ChaincodeSupport {
  /**
   * Executes ordered transactions strictly one after another into the open batch (§13). Never rejects because a transaction fails:
   * a failure is a result. Rejects only if the ledger itself fails.
   */
  execute(batch: LedgerBatch, transactions: readonly OrderedTransaction[]): Promise<ExecutedTransaction[]>
  /** Runs a query at once against committed state. Throws a PeerError whose message is what v0.6 answers after `Error:`. */
  query(transaction: Transaction): Promise<Uint8Array>
  /** Packages a deploy request and names it (§12.3, §12.4); in dev mode returns the specification as it is (§5.3). */
  build(spec: ChaincodeSpec): Promise<ChaincodeDeploymentSpec>
  /**
   * Registers an in-process chaincode under a name; it needs no deploy transaction (§15) and nobody else can deploy or register that name.
   * Throws ERR_CHAINCODE_NAME_TAKEN.
   */
  registerSystem(name: string, chaincode: Chaincode, options?: SystemChaincodeOptions): void
  /** Names of chaincodes that are connected or running now. */
  running(): readonly string[]
}
