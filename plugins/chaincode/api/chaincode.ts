import { typeOf } from './bytes.js'
import type { Chaincode } from './types.js'

const HANDLERS = ['init', 'invoke', 'query'] as const

/** Throws unless a value is a chaincode: an object with `init`, `invoke` or `query`. `where` names its source in the message. */
export function assertChaincode(value: unknown, where: string): asserts value is Chaincode {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${where}: expected an object with init, invoke and query (export default { ... } satisfies Chaincode), found ${typeOf(value)}`)
  }
  const found = HANDLERS.filter((name) => name in value)
  if (found.length === 0) throw new TypeError(`${where}: the chaincode has none of init, invoke and query`)
  for (const name of found) {
    const handler: unknown = Reflect.get(value, name)
    if (handler !== undefined && typeof handler !== 'function') throw new TypeError(`${where}: ${name} must be a function, found ${typeOf(handler)}`)
  }
}
