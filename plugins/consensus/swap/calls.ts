import {
  ChaincodeID,
  ChaincodeInput,
  ChaincodeInvocationSpec,
  ChaincodeSpec,
  ChaincodeSpec_Type,
  decode,
  encode,
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

/** Call and arguments of a transaction to the succession; undefined if it is to another chaincode, or no call. */
export function callOf(transaction: Transaction): { readonly call: string; readonly args: readonly Uint8Array[] } | undefined {
  if (!isToSuccession(transaction) || transaction.type !== Transaction_Type.CHAINCODE_INVOKE) return undefined
  try {
    const [call, ...args] = decode(ChaincodeInvocationSpec, transaction.payload).chaincodeSpec?.ctorMsg?.args ?? []
    return call && { call: Buffer.from(call).toString(), args }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return undefined
  }
}

/** Whether a transaction is addressed to the reserved name, whatever it asks for. */
export function isToSuccession({ chaincodeID }: Pick<Transaction, 'chaincodeID'>): boolean {
  // Nearly all transactions end here.
  if (!Buffer.from(chaincodeID.buffer, chaincodeID.byteOffset, chaincodeID.length).includes(NAME_BYTES)) return false
  try {
    return decode(ChaincodeID, chaincodeID).name === CONSENSUS_NAME
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return false
  }
}
