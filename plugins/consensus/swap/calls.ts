import {
  ChaincodeDeploymentSpec,
  ChaincodeID,
  ChaincodeInput,
  ChaincodeInvocationSpec,
  ChaincodeSpec,
  ChaincodeSpec_Type,
  decode,
  encode,
  type MessageType,
  Transaction,
  Transaction_Type,
  WireError,
} from '../../../proto/index.js'
import { CONSENSUS_NAME } from './records.js'

const NAME_BYTES = Buffer.from(CONSENSUS_NAME)

/** A call of the succession as a transaction. The same call has the same bytes, so that a call that is made again is the same request. */
export function succession(txid: string, call: string, args: readonly Uint8Array[]): Uint8Array {
  const chaincodeID = ChaincodeID.fromPartial({ name: CONSENSUS_NAME })
  const spec = ChaincodeSpec.fromPartial({
    type: ChaincodeSpec_Type.GOLANG,
    chaincodeID,
    ctorMsg: ChaincodeInput.fromPartial({ args: [Buffer.from(call), ...args] }),
  })
  return encode(
    Transaction,
    Transaction.fromPartial({
      type: Transaction_Type.CHAINCODE_INVOKE,
      chaincodeID: encode(ChaincodeID, chaincodeID),
      payload: encode(ChaincodeInvocationSpec, ChaincodeInvocationSpec.fromPartial({ chaincodeSpec: spec })),
      txid,
    }),
  )
}

/** Call and arguments of a transaction that is executed as a call of the succession: its payload decides, as for every chaincode. Undefined if it is none. */
export function callOf({ type, payload }: Pick<Transaction, 'type' | 'payload'>): { readonly call: string; readonly args: readonly Uint8Array[] } | undefined {
  if (type !== Transaction_Type.CHAINCODE_INVOKE || !mayName(payload)) return undefined
  const spec = readAs(ChaincodeInvocationSpec, payload)?.chaincodeSpec
  if (spec?.chaincodeID?.name !== CONSENSUS_NAME) return undefined
  const [call, ...args] = spec.ctorMsg?.args ?? []
  return { call: Buffer.from(call ?? []).toString(), args }
}

/** Whether a transaction is executed as a call of the succession. */
export function isToSuccession(transaction: Pick<Transaction, 'type' | 'payload'>): boolean {
  return callOf(transaction) !== undefined
}

/**
 * Whether a transaction names the succession anywhere, whatever it asks for: in its chaincode id, which nobody looks at when it is executed, or in the
 * invocation or deployment that is its payload.
 */
export function namesSuccession({ chaincodeID, payload }: Pick<Transaction, 'chaincodeID' | 'payload'>): boolean {
  if (mayName(chaincodeID) && readAs(ChaincodeID, chaincodeID)?.name === CONSENSUS_NAME) return true
  if (!mayName(payload)) return false
  const called = readAs(ChaincodeInvocationSpec, payload)?.chaincodeSpec
  const deployed = readAs(ChaincodeDeploymentSpec, payload)?.chaincodeSpec
  return [called, deployed].some((spec) => spec?.chaincodeID?.name === CONSENSUS_NAME)
}

/** Nearly all transactions end here. */
function mayName(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(NAME_BYTES)
}

/** What the bytes mean; undefined if they are no message of that type. */
export function readAs<T>(type: MessageType<T>, bytes: Uint8Array): T | undefined {
  try {
    return decode(type, bytes)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return undefined
  }
}
