import type { GoChaincode } from './go-shim.js'
import type { GoStub } from './go-stub.js'

const nothing = async (): Promise<undefined> => undefined

function integer(text: string, refusal: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(refusal)
  return Number(text)
}

async function held(stub: GoStub, name: string): Promise<number> {
  const value = await stub.getState(name)
  if (value.length === 0) throw new Error('Entity not found')
  return Number(value.toString())
}

const example01: GoChaincode = {
  async init(_stub, _fn, args) {
    if (args.length !== 4) throw new Error('Incorrect number of arguments. Expecting 4')
    return undefined
  },
  async invoke(_stub, _fn, [amount = '']) {
    integer(amount, `strconv.ParseInt: parsing "${amount}": invalid syntax`)
    return undefined
  },
  query: nothing,
}

const example02: GoChaincode = {
  async init(stub, _fn, args) {
    const [a = '', aHolds = '', b = '', bHolds = ''] = args
    if (args.length !== 4) throw new Error('Incorrect number of arguments. Expecting 4')
    await stub.putState(a, String(integer(aHolds, 'Expecting integer value for asset holding')))
    await stub.putState(b, String(integer(bHolds, 'Expecting integer value for asset holding')))
    return undefined
  },
  async invoke(stub, fn, args) {
    const [a = '', b = '', amount = ''] = args
    if (fn === 'delete') {
      if (args.length !== 1) throw new Error('Incorrect number of arguments. Expecting 1')
      await stub.delState(a)
      return undefined
    }
    if (args.length !== 3) throw new Error('Incorrect number of arguments. Expecting 3')
    const [aHolds, bHolds] = [await held(stub, a), await held(stub, b)]
    const moved = integer(amount, 'Invalid transaction amount, expecting a integer value')
    await stub.putState(a, String(aHolds - moved))
    await stub.putState(b, String(bHolds + moved))
    return undefined
  },
  async query(stub, fn, args) {
    const [a = ''] = args
    if (fn !== 'query') throw new Error('Invalid query function name. Expecting "query"')
    if (args.length !== 1) throw new Error('Incorrect number of arguments. Expecting name of the person to query')
    const value = await stub.getState(a)
    if (value.length === 0) throw new Error(`{"Error":"Nil amount for ${a}"}`)
    return value
  },
}

const example03: GoChaincode = {
  async init(stub, _fn, [key = '', value = '']) {
    await stub.putState(key, value)
    return undefined
  },
  invoke: nothing,
  async query(stub, _fn, args) {
    const [key = '', value = ''] = args
    if (args.length !== 2) throw new Error('Incorrect number of arguments. Expecting 2')
    try {
      await stub.putState(key, value)
    } catch (cause) {
      throw new Error('{"Error":"Cannot put state within chaincode query"}', { cause })
    }
    return undefined
  },
}

/** The name that example04 has built in. */
const EXAMPLE02 = 'ee5b24a1f17c356dd5f6e37307922e39ddba12e5d2e203ed93401d7d05eb0dd194fb9070549c5dc31eb63f4e654dbd5a1d86cbb30c48e3ab1812590cd0f78539'

const example04: GoChaincode = {
  init: example03.init,
  async invoke(stub, _fn, [event = '', value = '']) {
    if (value === '1') await stub.invokeChaincode(EXAMPLE02, ['invoke', 'a', 'b', '10'])
    await stub.putState(event, value)
    return undefined
  },
  async query(stub, _fn, [event = '']) {
    const value = await stub.getState(event)
    if (value.length === 0) throw new Error(`{"Error":"Nil value for ${event}"}`)
    return `{"Name":"${event}","Amount":"${value.toString()}"}`
  },
}

async function sum(stub: GoStub, callee: string): Promise<string> {
  const a = await stub.queryChaincode(callee, ['query', 'a'])
  const b = await stub.queryChaincode(callee, ['query', 'b'])
  return String(Number(a.toString()) + Number(b.toString()))
}

const example05: GoChaincode = {
  init: example03.init,
  async invoke(stub, _fn, [callee = '', key = '']) {
    const total = await sum(stub, callee)
    await stub.putState(key, total)
    return total
  },
  query: (stub, _fn, [callee = '']) => sum(stub, callee),
}

const passthru: GoChaincode = {
  async init(_stub, fn) {
    if (fn.includes('error')) throw new Error(fn)
    return fn
  },
  invoke: (stub, fn, args) => stub.invokeChaincode(fn, args),
  query: (stub, fn, args) => stub.queryChaincode(fn, args),
}

const map: GoChaincode = {
  init: nothing,
  async invoke(stub, fn, args) {
    const [key = '', value = ''] = args
    if (fn === 'put' && args.length === 2) await stub.putState(key, value)
    else if (fn === 'remove') await stub.delState(key)
    else throw new Error('Unsupported operation')
    return undefined
  },
  async query(stub, fn, [key = '']) {
    if (fn === 'get') return stub.getState(key)
    if (fn !== 'keys') throw new Error('Unsupported operation')
    const keys: string[] = []
    for await (const [each] of stub.range('', '')) keys.push(each)
    return JSON.stringify(keys.length === 0 ? null : keys)
  },
}

const eventsender: GoChaincode = {
  async init(stub) {
    await stub.putState('noevents', '0')
    return undefined
  },
  async invoke(stub, _fn, args) {
    const count = (await stub.getState('noevents')).toString()
    await stub.putState('noevents', String(Number(count) + 1))
    stub.setEvent('evtsender', ['Event ' + count, ...args].join())
    return undefined
  },
  async query(stub) {
    return `{"NoEvents":"${(await stub.getState('noevents')).toString()}"}`
  },
}

const largerowsiter: GoChaincode = {
  async init(stub) {
    for (let row = 0; row < 1000; row++) await stub.putState(`row${row}`, 'r')
    return undefined
  },
  invoke: nothing,
  async query(stub, _fn, [wanted = '1000']) {
    let rows = 0
    for await (const _row of stub.range('', '')) if (++rows === Number(wanted)) break
    return String(rows)
  },
}

/** Chaincodes of v0.6 as their Go sources do it, by the name of their binary. */
export const goChaincodes: Readonly<Record<string, GoChaincode>> = {
  chaincode_example01: example01,
  chaincode_example02: example02,
  chaincode_example03: example03,
  chaincode_example04: example04,
  chaincode_example05: example05,
  passthru,
  map,
  eventsender,
  largerowsiter,
}
