import { canonicalWithout } from './canonical.js'
import { Cursor } from './cursor.js'
import { ChaincodeDeploymentSpec } from './gen/chaincode.js'
import { Transaction_Type } from './gen/fabric.js'
import { orUndefined } from './wire-error.js'
import { lengthDelimited, lengthDelimitedFields } from './wire-parts.js'

const BLOCK_TRANSACTIONS = 3
const TRANSACTION_TYPE = 1
const DEPLOY: number = Transaction_Type.CHAINCODE_DEPLOY
const TRANSACTION_PAYLOAD = 3
const DEPLOYMENT_CODE_PACKAGE = 3

/**
 * A stored block as clients get it: deploy transactions without their code package (spec/node.md §5, §7), everything else byte for byte.
 * A deploy payload that is not a deployment specification, an encrypted one for example, stays as it is. Returns `bytes` itself if nothing changes.
 *
 * @param bytes in canonical form, as the ledger keeps blocks
 */
export function publicBlock(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  let copied = 0
  for (const { number, start, from, to } of lengthDelimitedFields(bytes)) {
    if (number !== BLOCK_TRANSACTIONS) continue
    const transaction = bytes.subarray(from, to)
    if (!isDeploy(transaction)) continue
    const stripped = withoutCode(transaction)
    if (stripped === undefined) continue
    parts.push(bytes.subarray(copied, start), lengthDelimited(BLOCK_TRANSACTIONS, stripped))
    copied = to
  }
  return copied === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(copied)])
}

/** The type is the first field of a canonical transaction. */
function isDeploy(transaction: Uint8Array): boolean {
  const cursor = new Cursor(transaction)
  if (cursor.limit === 0 || cursor.fieldNumber() !== TRANSACTION_TYPE) return false
  cursor.varint()
  return cursor.low === DEPLOY
}

function withoutCode(transaction: Uint8Array): Uint8Array | undefined {
  for (const { number, start, from, to } of lengthDelimitedFields(transaction)) {
    if (number !== TRANSACTION_PAYLOAD) continue
    const payload = publicPayload(transaction.subarray(from, to))
    if (payload === undefined) return undefined
    const field = payload.length === 0 ? payload : lengthDelimited(TRANSACTION_PAYLOAD, payload)
    return Buffer.concat([transaction.subarray(0, start), field, transaction.subarray(to)])
  }
  return undefined
}

/** A deployment specification without its code; `undefined` if that is the payload itself. */
function publicPayload(payload: Uint8Array): Uint8Array | undefined {
  const stripped = orUndefined(() => canonicalWithout(ChaincodeDeploymentSpec, payload, DEPLOYMENT_CODE_PACKAGE))
  return stripped && stripped.length === payload.length && Buffer.compare(stripped, payload) === 0 ? undefined : stripped
}
