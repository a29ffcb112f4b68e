import { type Clock, PeerError, messageOf } from '../../kernel/index.js'
import {
  type ChaincodeDeploymentSpec,
  ChaincodeDeploymentSpec as DeploymentSpec,
  ChaincodeID,
  type ChaincodeInvocationSpec,
  ChaincodeInvocationSpec as InvocationSpec,
  type ChaincodeSpec,
  Transaction,
  Transaction_Type,
  encode,
} from '../../proto/index.js'
import type { ChaincodeSupport } from '../chaincode/index.js'
import { type Accepted, type Consensus, type Forwarding, refuseReserved } from '../consensus/index.js'
import { derivedTransactionId, randomTransactionId } from './transaction-id.js'

const INVALID_ARGUMENT = 3

/** A transaction that was accepted for ordering; acceptance is not execution. */
export interface Submitted {
  readonly txid: string
  readonly accepted: Accepted
}

/** What a door knows of who calls. */
export interface Caller {
  /** W3C trace context (`traceparent`), for the transaction's spans. */
  readonly traceParent?: string | undefined
  /** The host that it calls from: each has a fair share of what may wait to be ordered. */
  readonly host?: string | undefined
}

/** What clients ask of a peer, whatever door they come through (spec/node.md §5 Devops). */
export interface Devops {
  /** Packages, names and submits a deploy. The answer holds the whole code package. */
  deploy(spec: ChaincodeSpec | undefined, caller?: Caller): Promise<Submitted & { readonly deployment: ChaincodeDeploymentSpec }>
  /** Submits an invoke. */
  invoke(invocation: ChaincodeInvocationSpec, caller?: Caller): Promise<Submitted>
  /** Runs a query at once. Throws a PeerError whose message starts with `Error:`, as v0.6 answers. */
  query(invocation: ChaincodeInvocationSpec): Promise<Uint8Array>
}

/** What the devops service works with. */
export interface DevopsParts {
  readonly chaincode: ChaincodeSupport
  readonly consensus: Consensus
  readonly clock: Clock
  /** Of a site that connects to other peers. */
  readonly forwarding?: Forwarding | undefined
}

export function createDevops({ chaincode, consensus, clock, forwarding }: DevopsParts): Devops {
  const submit = (transaction: Transaction, isNew: boolean, { traceParent, host }: Caller = {}): Promise<Accepted> =>
    consensus.submit(encode(Transaction, transaction), {
      isNew,
      transaction,
      ...(traceParent === undefined ? {} : { traceParent }),
      ...(host === undefined ? {} : { origin: host }),
    })

  const call = (type: Transaction_Type, txid: string, invocation: ChaincodeInvocationSpec): Transaction =>
    Transaction.fromPartial({
      type,
      chaincodeID: encode(ChaincodeID, requireChaincodeID(invocation.chaincodeSpec)),
      payload: encode(InvocationSpec, invocation),
      txid,
      timestamp: clock.now(),
    })

  return {
    async deploy(spec, caller) {
      if (spec === undefined) throw missing('chaincodeSpec')
      requireChaincodeID(spec)
      const deployment = await chaincode.build(spec)
      const id = requireChaincodeID(deployment.chaincodeSpec)
      if (id.name === '') throw new PeerError('ERR_CHAINCODE_NAME', 'chaincode name not set', { hint: 'give the chaincode a name (-n)' })
      const transaction = Transaction.fromPartial({
        type: Transaction_Type.CHAINCODE_DEPLOY,
        chaincodeID: encode(ChaincodeID, id),
        payload: encode(DeploymentSpec, deployment),
        txid: id.name,
        timestamp: clock.now(),
      })
      return { txid: id.name, accepted: await submit(transaction, false, caller), deployment }
    },

    async invoke(invocation, caller) {
      requireName(invocation)
      const algorithm = invocation.idGenerationAlg
      const args = invocation.chaincodeSpec?.ctorMsg?.args ?? []
      const isNew = algorithm === ''
      // A repetition of what waits already needs no room; a new one is refused before anything is made of it.
      if (isNew) consensus.checkRoom(caller?.host)
      const txid = isNew ? randomTransactionId() : derivedTransactionId(algorithm, args)
      return { txid, accepted: await submit(call(Transaction_Type.CHAINCODE_INVOKE, txid, invocation), isNew, caller) }
    },

    async query(invocation) {
      requireName(invocation)
      const transaction = call(Transaction_Type.CHAINCODE_QUERY, randomTransactionId(), invocation)
      refuseReserved(transaction)
      if (forwarding?.isNeeded) return forwarding.forward(encode(Transaction, transaction))
      if (!consensus.valid) throw new PeerError('ERR_STATE_BEHIND', 'Error: state may be inconsistent, cannot query', { retryable: true })
      try {
        return await chaincode.query(transaction)
      } catch (error) {
        const { grpcStatus, hint, retryable } = error instanceof PeerError ? error : { grpcStatus: 2, hint: undefined, retryable: false }
        throw new PeerError('ERR_QUERY_FAILED', `Error:${messageOf(error)}`, { cause: error, grpcStatus, retryable, ...(hint === undefined ? {} : { hint }) })
      }
    },
  }
}

function requireName({ chaincodeSpec }: ChaincodeInvocationSpec): void {
  if (requireChaincodeID(chaincodeSpec).name === '') throw new PeerError('ERR_CHAINCODE_NAME', 'name not given for invoke/query')
}

// The original crashes on absent sub-messages (spec/wire.md §14).
function requireChaincodeID(spec: ChaincodeSpec | undefined): ChaincodeID {
  if (spec === undefined) throw missing('chaincodeSpec')
  if (spec.chaincodeID === undefined) throw missing('chaincodeSpec.chaincodeID')
  return spec.chaincodeID
}

function missing(field: string): PeerError {
  return new PeerError('ERR_REQUEST_INVALID', `the request has no ${field}`, { grpcStatus: INVALID_ARGUMENT })
}
