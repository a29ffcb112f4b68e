import { ChaincodeInput, type ChaincodeMessage, ChaincodeMessage_Type as Type } from '../../../proto/messages.js'
import { messageOf } from './message-port.js'
import type { CallInfo } from './port.js'
import type { Outcome } from './run.js'

const NOTHING = new Uint8Array(0)

const KINDS: ReadonlyMap<Type, CallInfo['kind']> = new Map([
  [Type.INIT, 'init'],
  [Type.TRANSACTION, 'invoke'],
  [Type.QUERY, 'query'],
])

/**
 * A call as INIT, TRANSACTION or QUERY brings it; `undefined` for other messages. Arguments come from the security context
 * if there is one, as in the original (spec/chaincode.md §10).
 */
export function callFromMessage({ type, txid, payload, securityContext }: ChaincodeMessage): CallInfo | undefined {
  const kind = KINDS.get(type)
  if (kind === undefined) return undefined
  const input = securityContext === undefined || securityContext.payload.length === 0 ? payload : securityContext.payload
  return {
    kind,
    txid,
    args: ChaincodeInput.decode(input).args,
    context: {
      callerCert: securityContext?.callerCert ?? NOTHING,
      binding: securityContext?.binding ?? NOTHING,
      metadata: securityContext?.metadata ?? NOTHING,
      payload: input,
      txTimestamp: securityContext?.txTimestamp,
    },
  }
}

/** COMPLETED, ERROR, QUERY_COMPLETED or QUERY_ERROR. */
export function outcomeMessage({ kind, txid }: CallInfo, { ok, payload, event }: Outcome): ChaincodeMessage {
  const type = kind === 'query' ? (ok ? Type.QUERY_COMPLETED : Type.QUERY_ERROR) : ok ? Type.COMPLETED : Type.ERROR
  const message = messageOf(type, txid, payload)
  if (event !== undefined) message.chaincodeEvent = { chaincodeID: '', txID: '', eventName: event.name, payload: event.payload }
  return message
}
