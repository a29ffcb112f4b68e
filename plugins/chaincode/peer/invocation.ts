import { ChaincodeInput, ChaincodeInvocationSpec, type Transaction, decode, encode } from '../../../proto/index.js'
import { requireName } from './deployments.js'

/** What an invoke or query transaction asks for. */
export interface Invocation {
  readonly name: string
  readonly args: readonly Uint8Array[]
  /** Serialised ChaincodeInput. */
  readonly input: Uint8Array
}

const EMPTY = new Uint8Array(0)

/** Reads the payload of an invoke or query. Throws if it is not a ChaincodeInvocationSpec with a usable name. */
export function readInvocation(transaction: Transaction): Invocation {
  const spec = decode(ChaincodeInvocationSpec, transaction.payload).chaincodeSpec
  const name = requireName(spec?.chaincodeID?.name)
  if (spec?.ctorMsg === undefined) return { name, args: [], input: EMPTY }
  return { name, args: spec.ctorMsg.args, input: encode(ChaincodeInput, spec.ctorMsg) }
}
