import { type ChaincodeEvent, type ChaincodeSecurityContext, ChaincodeMessage_Type as T } from '../../../../proto/index.js'
import type { CallResult } from '../../runtime.js'
import { writeMessage } from '../../fast-codec.js'

const EMPTY = new Uint8Array(0)

/** A serialised ChaincodeMessage. */
export function messageOf(
  type: T,
  txid: string,
  payload: Uint8Array = EMPTY,
  securityContext?: ChaincodeSecurityContext,
  chaincodeEvent?: ChaincodeEvent,
): Uint8Array {
  return writeMessage({ type, timestamp: undefined, payload, txid, securityContext, chaincodeEvent })
}

/** The message with which a callee ended, as its caller gets it inside RESPONSE (spec/chaincode.md §8). */
export function nestedMessage(kind: 'invoke' | 'query', txid: string, { ok, payload, event }: CallResult): Uint8Array {
  const type = kind === 'invoke' ? (ok ? T.COMPLETED : T.ERROR) : ok ? T.QUERY_COMPLETED : T.QUERY_ERROR
  return messageOf(type, txid, payload, undefined, event && { chaincodeID: '', txID: '', eventName: event.name, payload: event.payload })
}

/** A type as v0.6 prints it: its name, or its number. */
export function typeName(type: T): string {
  return T[type] ?? String(type)
}

/** A ChaincodeID in protobuf's text form, with the trailing blank that v0.6 shows (spec/chaincode.md §3.4). */
export function textOfChaincodeID(path: string, name: string): string {
  return `${path === '' ? '' : `path:${JSON.stringify(path)} `}${name === '' ? '' : `name:${JSON.stringify(name)} `}`
}
