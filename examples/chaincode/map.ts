/**
 * v0.6's map: any keys and values, and a list of the keys.
 *
 *   invoke  put key1 value1       invoke  remove key1
 *   query   get key1              query   keys
 */
import type { Chaincode } from 'weft/chaincode'

export default {
  init() {},

  async invoke(stub, fn, args) {
    const [key, value] = args
    switch (fn) {
      case 'put':
        if (key === undefined || value === undefined) throw new Error('put operation must include two arguments, a key and value')
        return stub.putState(key, value)
      case 'remove':
        if (key === undefined) throw new Error('remove operation must include one argument, a key')
        return stub.deleteState(key)
      default:
        throw new Error('Unsupported operation')
    }
  },

  async query(stub, fn, args) {
    const [key] = args
    switch (fn) {
      case 'get':
        if (key === undefined) throw new Error('get operation must include one argument, a key')
        return stub.getState(key)
      case 'keys': {
        const keys: string[] = []
        // The ledger's order, which is the same on every validator, but not that of the keys: see sortedRange().
        for await (const entry of stub.getStateByRange('', '')) keys.push(entry.keyString)
        return keys.length === 0 ? 'null' : JSON.stringify(keys)
      }
      default:
        throw new Error('Unsupported operation')
    }
  },
} satisfies Chaincode
