/**
 * v0.6's eventsender: every invoke sets an event with its number and arguments; `peer events listen` shows it when the block commits.
 *
 *   invoke  greet hello           query  query
 */
import type { Chaincode } from 'weft/chaincode'

const COUNTER = 'noevents'
const decoder = new TextDecoder()

export default {
  async init(stub) {
    await stub.putState(COUNTER, '0')
  },

  async invoke(stub, _fn, args) {
    const stored = await stub.getState(COUNTER)
    if (stored === undefined) throw new Error('Failed to get state')
    const count = Number(decoder.decode(stored))
    await stub.putState(COUNTER, String(count + 1))
    // The last event that a transaction sets is its event, also if it fails.
    stub.setEvent('evtsender', [`Event ${count}`, ...args].join(','))
  },

  async query(stub) {
    const stored = await stub.getState(COUNTER)
    if (stored === undefined) throw new Error('{"Error":"Failed to get state"}')
    return JSON.stringify({ NoEvents: decoder.decode(stored) })
  },
} satisfies Chaincode
