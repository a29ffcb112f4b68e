import type { Clock, Logger } from '../../../kernel/index.js'
import type { ChaincodeSecurityContext, Transaction } from '../../../proto/index.js'
import type { Ledger } from '../../ledger/index.js'
import type { Chaincode } from '../api/index.js'
import type { ChaincodeCounters } from '../counters.js'
import type { ChaincodeLauncher, ChaincodeRuntime } from '../runtime.js'

/** v0.6's fixed limit of an invoke or query (spec/chaincode.md §5.9). */
export const EXECUTE_TIMEOUT_MS = 30_000

/** How this peer runs chaincode. */
export interface ChaincodeSettings {
  /** `dev`: the user starts chaincodes, which register themselves. `net`: the peer launches them. */
  readonly mode: 'net' | 'dev'
  /** `v0.6`: behaves as an original validator, for networks that have some. */
  readonly compatibility: 'weft' | 'v0.6'
  /** What runs chaincode of the types GOLANG, JAVA and CAR, for messages. */
  readonly launcher: 'docker' | 'process' | 'none'
  /** Limit for a launch, and again for Init. */
  readonly startupTimeoutMs: number
  readonly executeTimeoutMs: number
  /** Queries in flight at one time; beyond, they are refused with RESOURCE_EXHAUSTED. */
  readonly maxQueries: number
  readonly networkId: string
  readonly peerId: string
}

/** What security adds when it is on (spec/chaincode.md §10). */
export interface ExecutionSecurity {
  /** H(cert || nonce); also of empty input, for callees. */
  binding(certificate: Uint8Array, nonce: Uint8Array): Uint8Array
}

/** Everything that executing needs from outside. */
export interface ChaincodeSupportOptions {
  readonly ledger: Pick<Ledger, 'view' | 'committed' | 'transactionBytes' | 'deployBytes'>
  readonly clock: Clock
  readonly log: Logger
  readonly settings: ChaincodeSettings
  /** One for each language that this peer can run; a type without one cannot be deployed outside dev mode. */
  readonly launchers: readonly ChaincodeLauncher[]
  /** Makes the runtime of a system chaincode. */
  readonly inProcess: (name: string, chaincode: Chaincode) => ChaincodeRuntime
  /** Where it counts what chaincode does. */
  readonly counters?: ChaincodeCounters
  /** Absent: security is off. */
  readonly security?: ExecutionSecurity
}

const EMPTY = new Uint8Array(0)

/** What a chaincode learns of the transaction that called it (spec/chaincode.md §10). `input` is the serialised ChaincodeInput. */
export function securityContextOf(transaction: Transaction, input: Uint8Array, security: ExecutionSecurity | undefined): ChaincodeSecurityContext {
  return {
    callerCert: transaction.cert,
    callerSign: transaction.signature,
    payload: input,
    binding: security === undefined ? EMPTY : security.binding(transaction.cert, transaction.nonce),
    metadata: security === undefined ? EMPTY : transaction.metadata,
    parentMetadata: EMPTY,
    txTimestamp: transaction.timestamp,
  }
}

/**
 * The same for a chaincode called by another: no identity is passed on. The time is that of the top-level transaction, which is the same on
 * every validator; originals give their own clock (spec/chaincode.md §8).
 */
export function calleeSecurityContext(transaction: Transaction, input: Uint8Array, security: ExecutionSecurity | undefined): ChaincodeSecurityContext {
  return {
    callerCert: EMPTY,
    callerSign: EMPTY,
    payload: input,
    binding: security === undefined ? EMPTY : security.binding(EMPTY, EMPTY),
    metadata: EMPTY,
    parentMetadata: EMPTY,
    txTimestamp: transaction.timestamp,
  }
}
