import { text, typeOf, utf8 } from './bytes.js'
import { failureText } from './errors.js'
import type { CallInfo, CallPort, ChaincodeHost } from './port.js'
import { Stub } from './stub.js'
import type { Chaincode, Result } from './types.js'

/** How a call ended, as the chaincode said. */
export interface Outcome {
  readonly ok: boolean
  /** Result, or error text. */
  readonly payload: Uint8Array
  /** The last event set; also of a failed call, never of a query. */
  readonly event?: { readonly name: string; readonly payload: Uint8Array }
}

const NOTHING = new Uint8Array(0)

/** Runs one init, invoke or query. Never rejects: what the handler throws is the outcome. Requests on their way are awaited first. */
export async function runCall(chaincode: Chaincode, call: CallInfo, port: CallPort, host: ChaincodeHost): Promise<Outcome> {
  const stub = new Stub(call, port, host)
  let ok = true
  let payload: Uint8Array
  try {
    payload = resultBytes(await handle(chaincode, call, stub))
  } catch (thrown) {
    ok = false
    payload = utf8(failureText(thrown))
  }
  try {
    await stub.end()
  } catch (thrown) {
    // Only closing a range can fail here: the peer has refused something, so the call must not count as a success.
    if (ok) payload = utf8(failureText(thrown))
    ok = false
  }
  const { event } = stub
  return event === undefined ? { ok, payload } : { ok, payload, event }
}

function handle(chaincode: Chaincode, call: CallInfo, stub: Stub): Promise<Result> | Result {
  const [fn = '', ...args] = call.args.map(text)
  switch (call.kind) {
    case 'init':
      return chaincode.init?.(stub, fn, args)
    case 'invoke':
      if (chaincode.invoke === undefined) throw new Error('this chaincode has no invoke')
      return chaincode.invoke(stub, fn, args)
    case 'query':
      if (chaincode.query === undefined) throw new Error('this chaincode has no query')
      return chaincode.query(stub, fn, args)
  }
}

function resultBytes(result: Result): Uint8Array {
  if (result === undefined || result === null) return NOTHING
  if (typeof result === 'string') return utf8(result)
  if (result instanceof Uint8Array) return new Uint8Array(result)
  throw new TypeError(`a handler must return a string, a Uint8Array or nothing, found ${typeOf(result)}`)
}
