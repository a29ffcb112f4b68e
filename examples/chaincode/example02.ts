/**
 * v0.6's chaincode_example02: two accounts and transfers between them.
 *
 *   deploy  init a 100 b 200      query   query a
 *   invoke  invoke a b 10         invoke  delete a
 *
 * Run it in development mode: `peer chaincode serve examples/chaincode/example02.ts --name mycc`
 */
import type { Chaincode, ChaincodeStub } from 'weft/chaincode'

export default {
  async init(stub, _fn, args) {
    const [a, aAmount, b, bAmount, ...more] = args
    if (a === undefined || aAmount === undefined || b === undefined || bAmount === undefined || more.length > 0) {
      throw new Error('Incorrect number of arguments. Expecting 4')
    }
    const amounts = [amount(aAmount, 'Expecting integer value for asset holding'), amount(bAmount, 'Expecting integer value for asset holding')]
    await stub.putState(a, String(amounts[0]))
    await stub.putState(b, String(amounts[1]))
  },

  async invoke(stub, fn, args) {
    if (fn === 'delete') return remove(stub, args)
    const [from, to, value, ...more] = args
    if (from === undefined || to === undefined || value === undefined || more.length > 0) {
      throw new Error('Incorrect number of arguments. Expecting 3')
    }
    const fromAmount = await holding(stub, from)
    const toAmount = await holding(stub, to)
    const moved = amount(value, 'Invalid transaction amount, expecting a integer value')
    await stub.putState(from, String(fromAmount - moved))
    await stub.putState(to, String(toAmount + moved))
  },

  async query(stub, fn, args) {
    if (fn !== 'query') throw new Error('Invalid query function name. Expecting "query"')
    const [name, ...more] = args
    if (name === undefined || more.length > 0) throw new Error('Incorrect number of arguments. Expecting name of the person to query')
    const value = await stub.getState(name)
    if (value === undefined) throw new Error(`{"Error":"Nil amount for ${name}"}`)
    return value
  },
} satisfies Chaincode

async function remove(stub: ChaincodeStub, args: string[]): Promise<void> {
  const [name, ...more] = args
  if (name === undefined || more.length > 0) throw new Error('Incorrect number of arguments. Expecting 1')
  await stub.deleteState(name)
}

const decoder = new TextDecoder()

async function holding(stub: ChaincodeStub, name: string): Promise<bigint> {
  const stored = await stub.getState(name)
  if (stored === undefined) throw new Error('Entity not found')
  return BigInt(decoder.decode(stored))
}

function amount(text: string, refusal: string): bigint {
  if (!/^[+-]?\d{1,19}$/.test(text)) throw new Error(refusal)
  return BigInt(text.replace('+', ''))
}
