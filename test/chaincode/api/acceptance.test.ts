import { describe, expect, it } from 'vitest'
import eventSender from '../../../examples/chaincode/event-sender.js'
import example02 from '../../../examples/chaincode/example02.js'
import map from '../../../examples/chaincode/map.js'
import table from '../../../examples/chaincode/table.js'
import type { Chaincode } from '../../../plugins/chaincode/api/index.js'
import { createInProcessRuntime } from '../../../plugins/chaincode/api/in-process.js'
import { type Executed, MemoryPeer } from './memory-peer.js'
import { acceptance } from './vectors.js'

const EXAMPLES: Readonly<Record<string, Chaincode>> = { example02, map, eventsender: eventSender, table }
const FAILURE = 'Error when querying chaincode: Error:Transaction or query returned with failure: '

describe('the example chaincodes answer as the originals did', () => {
  for (const [scenario, chaincode] of Object.entries(EXAMPLES)) {
    const steps = acceptance().find((candidate) => candidate.scenario === scenario)?.steps ?? []

    it(`${scenario}: ${steps.length} requests`, async () => {
      expect(steps.length).toBeGreaterThan(3)
      const [name = ''] = steps.map((step) => step.chaincode)
      const peer = new MemoryPeer().add(createInProcessRuntime(name, chaincode))
      for (const { method, args, rest, committed, blockChaincodeEvents } of steps) {
        const executed: Executed = await peer[method](name, args)
        const what = `${method} ${args.join(' ')}`
        if (method === 'query')
          expect({ what, text: executed.ok ? executed.text : FAILURE + executed.text }).toEqual({ what, text: rest.data ?? rest.message ?? '' })
        else expect({ what, committed: executed.committed }).toEqual({ what, committed })
        const [event] = blockChaincodeEvents ?? []
        if (method === 'invoke') {
          expect(executed.event?.name).toBe(event?.eventName)
          expect(executed.event && Buffer.from(executed.event.payload).toString('base64')).toBe(event?.payload)
        }
      }
    })
  }
})
