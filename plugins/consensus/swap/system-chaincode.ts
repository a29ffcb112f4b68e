import type { Chaincode } from '../../chaincode/api/index.js'
import { callSuccession, type ContractRules, Refusal } from './contract.js'
import { BufferedState, SUCCESSION_KEYS } from './records.js'

/** The succession as a system chaincode: its calls are transactions, so that every validator executes them at the same place. Queries have nothing to ask. */
export function successionChaincode(rules: () => ContractRules): Chaincode {
  return {
    async invoke(stub) {
      const [call, ...args] = stub.getArgs()
      if (call === undefined) throw new Refusal('a call of the succession names what it wants')
      const state = new BufferedState()
      for (const key of SUCCESSION_KEYS) state.read(key, await stub.getState(key))
      await callSuccession(rules(), state, Buffer.from(call).toString(), args)
      for (const [key, value] of state.changes) {
        if (value === undefined) await stub.delState(key)
        else await stub.putState(key, value)
      }
    },
  }
}
