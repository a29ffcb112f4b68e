import { ChaincodeMessage_Type as T } from '../../../../proto/index.js'

/** States of the peer's side of a `Register` stream (spec/chaincode.md §3.1). */
export type StreamState = 'created' | 'established' | 'init' | 'busyinit' | 'ready' | 'transaction' | 'busyxact' | 'end'

const READS = { [T.GET_STATE]: 0, [T.RANGE_QUERY_STATE]: 0, [T.RANGE_QUERY_STATE_NEXT]: 0, [T.RANGE_QUERY_STATE_CLOSE]: 0 }

type Row = { readonly [type in T]?: StreamState }

function row(state: StreamState, reads: boolean, moves: Row): Row {
  if (!reads) return moves
  return { ...Object.fromEntries(Object.keys(READS).map((type) => [type, state])), ...moves }
}

const WRITES = (busy: StreamState): Row => ({ [T.PUT_STATE]: busy, [T.DEL_STATE]: busy, [T.INVOKE_CHAINCODE]: busy })

const TABLE: Readonly<Record<StreamState, Row>> = {
  created: row('created', false, { [T.REGISTER]: 'established' }),
  established: row('established', false, { [T.INIT]: 'init', [T.READY]: 'ready' }),
  init: row('init', true, { ...WRITES('busyinit'), [T.COMPLETED]: 'ready', [T.ERROR]: 'end' }),
  busyinit: row('busyinit', true, { [T.RESPONSE]: 'init', [T.ERROR]: 'init' }),
  ready: row('ready', true, { [T.TRANSACTION]: 'transaction', [T.COMPLETED]: 'ready' }),
  transaction: row('transaction', true, { ...WRITES('busyxact'), [T.COMPLETED]: 'ready', [T.ERROR]: 'ready' }),
  busyxact: row('busyxact', true, { [T.RESPONSE]: 'transaction', [T.ERROR]: 'transaction' }),
  end: row('end', false, {}),
}

/** Where an event leads, or `undefined` if it does not fit the state. */
export function transition(state: StreamState, event: T): StreamState | undefined {
  return TABLE[state][event]
}
