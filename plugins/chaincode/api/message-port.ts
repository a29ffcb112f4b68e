import {
  ChaincodeMessage,
  ChaincodeMessage_Type as Type,
  ChaincodeSpec,
  PutStateInfo,
  RangeQueryState,
  RangeQueryStateClose,
  RangeQueryStateNext,
  RangeQueryStateResponse,
} from '../../../proto/messages.js'
import { text } from './bytes.js'
import { RequestError } from './errors.js'
import type { CallAnswer, CallPort, Entry, RangeCursor } from './port.js'

const NOTHING = new Uint8Array(0)

/** A call's requests as messages of v0.6 (spec/chaincode.md §6 to §8). */
export abstract class MessagePort implements CallPort {
  /** Sends one request and resolves with its reply. Replies come in the order of the requests. */
  protected abstract send(type: Type, payload: Uint8Array): Promise<ChaincodeMessage>

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return new Uint8Array(await this.#request(Type.GET_STATE, key))
  }

  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    await this.#request(Type.PUT_STATE, PutStateInfo.encode({ key, value }).finish())
  }

  async delete(key: Uint8Array): Promise<void> {
    await this.#request(Type.DEL_STATE, key)
  }

  range(startKey: Uint8Array, endKey: Uint8Array): RangeCursor {
    let id: string | undefined
    let more = true
    const batch = (payload: Uint8Array): readonly Entry[] => {
      const response = RangeQueryStateResponse.decode(payload)
      id = response.ID
      more = response.hasMore
      return response.keysAndValues.map(({ key, value }) => ({ key: new Uint8Array(key), value: new Uint8Array(value) }))
    }
    return {
      next: async () => {
        if (id === undefined) return batch(await this.#request(Type.RANGE_QUERY_STATE, RangeQueryState.encode({ startKey, endKey }).finish()))
        if (!more) return undefined
        return batch(await this.#request(Type.RANGE_QUERY_STATE_NEXT, RangeQueryStateNext.encode({ ID: id }).finish()))
      },
      close: async () => {
        if (id === undefined) return
        await this.#request(Type.RANGE_QUERY_STATE_CLOSE, RangeQueryStateClose.encode({ ID: id }).finish())
      },
    }
  }

  async callChaincode(kind: 'invoke' | 'query', name: string, args: readonly Uint8Array[]): Promise<CallAnswer> {
    const spec = ChaincodeSpec.create({ chaincodeID: { name }, ctorMsg: { args: [...args] } })
    const type = kind === 'invoke' ? Type.INVOKE_CHAINCODE : Type.INVOKE_QUERY
    const nested = ChaincodeMessage.decode(await this.#request(type, ChaincodeSpec.encode(spec).finish()))
    const completed = kind === 'invoke' ? Type.COMPLETED : Type.QUERY_COMPLETED
    return { ok: nested.type === completed, payload: new Uint8Array(nested.payload) }
  }

  async #request(type: Type, payload: Uint8Array): Promise<Uint8Array> {
    const reply = await this.send(type, payload)
    if (reply.type === Type.RESPONSE) return reply.payload
    if (reply.type === Type.ERROR) throw new RequestError(text(reply.payload))
    throw new RequestError('Incorrect chaincode message received')
  }
}

/** A message as the chaincode side sends it. */
export function messageOf(type: Type, txid: string, payload: Uint8Array = NOTHING): ChaincodeMessage {
  return { type, timestamp: undefined, payload, txid, securityContext: undefined, chaincodeEvent: undefined }
}
