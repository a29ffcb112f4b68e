import type { Chaincode, ChaincodeStub, QueryStub } from '../api/index.js'

/** What an account holds until it is first written. */
const OPENING_BALANCE = 1_000_000n
/** What a deleted account holds: a name that was written once has no opening balance any more. */
const DELETED = 'deleted'

/**
 * `example02` as a system chaincode: transfers between accounts, without a deploy. Every account opens with 1,000,000.
 *
 *   invoke  invoke a b 10     query  query a
 *   invoke  delete a
 */
export const example02: Chaincode = {
  async invoke(stub, fn, args) {
    if (fn === 'delete') return remove(stub, args)
    const [from, to, value, ...more] = args
    if (from === undefined || to === undefined || value === undefined || more.length > 0) throw new Error('Incorrect number of arguments. Expecting 3')
    if (from === '' || to === '') throw new Error('An account name cannot be empty')
    const moved = amountOf(value)
    // As v0.6: both are read before either is written, so a transfer to oneself adds.
    const left = await holding(stub, from)
    const right = await holding(stub, to)
    if (left === undefined || right === undefined) throw new Error('Entity not found')
    await stub.putState(from, String(left - moved))
    await stub.putState(to, String(right + moved))
  },

  async query(stub, fn, args) {
    if (fn !== 'query') throw new Error('Invalid query function name. Expecting "query"')
    const [name, ...more] = args
    if (name === undefined || more.length > 0) throw new Error('Incorrect number of arguments. Expecting name of the person to query')
    const held = await holding(stub, name)
    if (held === undefined) throw new Error(`{"Error":"Nil amount for ${name}"}`)
    return String(held)
  },
}

async function remove(stub: ChaincodeStub, args: string[]): Promise<void> {
  const [name, ...more] = args
  if (name === undefined || more.length > 0) throw new Error('Incorrect number of arguments. Expecting 1')
  await stub.putState(name, DELETED)
}

async function holding(stub: QueryStub, name: string): Promise<bigint | undefined> {
  const stored = await stub.getState(name)
  if (stored === undefined) return OPENING_BALANCE
  const text = Buffer.from(stored).toString()
  return text === DELETED ? undefined : BigInt(text)
}

function amountOf(text: string): bigint {
  if (!/^[+-]?\d{1,19}$/.test(text)) throw new Error('Invalid transaction amount, expecting a integer value')
  return BigInt(text.replace('+', ''))
}
