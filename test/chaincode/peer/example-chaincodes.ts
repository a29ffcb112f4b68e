import type { Chaincode } from '../../../plugins/chaincode/api/index.js'
import example02 from '../../../examples/chaincode/example02.js'
import { text } from './kit.js'

/** v0.6's chaincode_example01: keeps its accounts in memory. */
const example01: Chaincode = {
  init: (_stub, _fn, args) => {
    if (args.length !== 4) throw new Error('Incorrect number of arguments. Expecting 4')
  },
  invoke: (_stub, _fn, [amount = '']) => {
    if (!/^-?\d+$/.test(amount)) throw new Error(`strconv.Atoi: parsing "${amount}": invalid syntax`)
  },
  query: () => undefined,
}

/** chaincode_example03: tries to write in a query. Its types are those of untyped JavaScript, which can try. */
const example03: Chaincode = {
  init: (stub, _fn, [key = '', value = '']) => stub.putState(key, value),
  invoke: () => undefined,
  query: async (stub, _fn, args) => {
    const [key, value] = args
    if (key === undefined || value === undefined) throw new Error('Incorrect number of arguments. Expecting 2')
    const write: unknown = Reflect.get(stub, 'putState')
    if (typeof write === 'function') {
      try {
        await write.call(stub, key, value)
      } catch (cause) {
        throw new Error('{"Error":"Cannot put state within chaincode query"}', { cause })
      }
    }
    return 'written'
  },
}

/** chaincode_example04: an invoke with value 1 also moves 10 from a to b in an example02. */
const example04 = (callee: string): Chaincode => ({
  init: (stub, _fn, [key = '', value = '']) => stub.putState(key, value),
  invoke: async (stub, _fn, [key = '', value = '']) => {
    if (value === '1') await stub.invokeChaincode(callee, ['invoke', 'a', 'b', '10'])
    await stub.putState(key, value)
  },
  query: async (stub, _fn, [key = '']) => {
    const value = await stub.getState(key)
    if (value === undefined) throw new Error(`{"Error":"Nil value for ${key}"}`)
    return `{"Name":"${key}","Amount":"${text(value)}"}`
  },
})

/** chaincode_example05: sums up two accounts of an example02. */
const example05: Chaincode = {
  init: (stub, _fn, [key = '', value = '']) => stub.putState(key, value),
  invoke: async (stub, _fn, [callee = '', key = '']) => {
    const sum = await sumOf((name) => stub.queryChaincode(callee, ['query', name]))
    await stub.putState(key, sum)
    return sum
  },
  query: (stub, _fn, [callee = '']) => sumOf((name) => stub.queryChaincode(callee, ['query', name])),
}

async function sumOf(query: (name: string) => Promise<Uint8Array>): Promise<string> {
  return String(Number(text(await query('a'))) + Number(text(await query('b'))))
}

const passthru: Chaincode = {
  init: (_stub, fn) => {
    if (fn.includes('error')) throw new Error(fn)
    return fn
  },
  invoke: (stub, fn, args) => stub.invokeChaincode(fn, args),
  query: (stub, fn, args) => stub.queryChaincode(fn, args),
}

const map: Chaincode = {
  init: () => undefined,
  invoke: (stub, fn, [key, value]) => {
    if (fn === 'put') {
      if (key === undefined || value === undefined) throw new Error('put operation must include two arguments, a key and value')
      return stub.putState(key, value)
    }
    if (fn === 'remove' && key !== undefined) return stub.deleteState(key)
    throw new Error('Unsupported operation')
  },
  query: async (stub, fn, [key]) => {
    if (fn === 'get' && key !== undefined) return (await stub.getState(key)) ?? ''
    if (fn !== 'keys') throw new Error('Unsupported operation')
    const keys: string[] = []
    for await (const { keyString } of stub.getStateByRange('', '')) keys.push(keyString)
    return JSON.stringify(keys.length === 0 ? null : keys)
  },
}

const eventsender: Chaincode = {
  init: (stub) => stub.putState('noevents', '0'),
  invoke: async (stub, _fn, args) => {
    const count = text((await stub.getState('noevents')) ?? new Uint8Array(0))
    stub.setEvent('evtsender', [`Event ${count}`, ...args].join(','))
    await stub.putState('noevents', String(Number(count) + 1))
  },
  query: async (stub) => `{"NoEvents":"${text((await stub.getState('noevents')) ?? new Uint8Array(0))}"}`,
}

/** The examples of v0.6 that acceptance.json runs, by the name of their binary. */
export function exampleChaincodes(builtInExample02: string): Readonly<Record<string, Chaincode>> {
  return {
    chaincode_example01: example01,
    chaincode_example02: example02,
    chaincode_example03: example03,
    chaincode_example04: example04(builtInExample02),
    chaincode_example05: example05,
    passthru,
    map,
    eventsender,
  }
}
