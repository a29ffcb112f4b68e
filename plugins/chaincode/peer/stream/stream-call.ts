import type { ChaincodeMessage_Type as T } from '../../../../proto/index.js'
import type { Call, CallResult } from '../../runtime.js'
import { RangeQueries } from './range-queries.js'

/** Requests of one transaction that may wait while an earlier one is worked on. A shim sends one at a time. */
export const MAX_WAITING_REQUESTS = 64

/** What a chaincode asks of the peer in the middle of a call. */
export type RequestType =
  | T.GET_STATE
  | T.PUT_STATE
  | T.DEL_STATE
  | T.RANGE_QUERY_STATE
  | T.RANGE_QUERY_STATE_NEXT
  | T.RANGE_QUERY_STATE_CLOSE
  | T.INVOKE_CHAINCODE
  | T.INVOKE_QUERY

/** A request that waits for an earlier one of its transaction. */
export interface WaitingRequest {
  readonly type: RequestType
  readonly payload: Uint8Array
}

/** What a stream knows of one txid (spec/chaincode.md §3.6). */
export class StreamCall {
  /** A request is being worked on; later ones wait, in order. */
  isBusy = false
  hasEnded = false
  waiting: WaitingRequest[] | undefined
  private rangeQueries: RangeQueries | undefined

  constructor(
    readonly call: Call,
    readonly resolve: (result: CallResult) => void,
    readonly reject: (cause: Error) => void,
  ) {}

  get isQuery(): boolean {
    return this.call.kind === 'query'
  }

  ranges(newId: () => string): RangeQueries {
    return (this.rangeQueries ??= new RangeQueries(this.call.state, newId))
  }

  /** Keeps a request for later. False if too many wait. */
  wait(request: WaitingRequest): boolean {
    const waiting = (this.waiting ??= [])
    if (waiting.length >= MAX_WAITING_REQUESTS) return false
    waiting.push(request)
    return true
  }
}
