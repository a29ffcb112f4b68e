import { definePlugin } from '../../kernel/index.js'
import { VitalsService } from '../../proto/index.js'
import { CONSENSUS_FIGURES } from '../consensus/index.js'
import { LEDGER_COUNTERS } from '../ledger/index.js'
import { TopCommand } from './commands/top.js'
import { vitals } from './vitals.js'

/** A network in a terminal, and the figures of a running peer that it shows. */
export default definePlugin({
  name: 'top',
  description: 'peer top: validators, engines, rates, latency, queues and links of a network',
  uses: [CONSENSUS_FIGURES, LEDGER_COUNTERS],
  commands: [TopCommand],
  apply(peer) {
    let id = ''
    peer.hooks.endpoint.tap(async (endpoint) => {
      id = endpoint.id
      return endpoint
    })
    peer.hooks.registerServices.tap(async (listeners) => {
      const parts = { id: () => id, consensus: () => peer.find(CONSENSUS_FIGURES), ledger: () => peer.find(LEDGER_COUNTERS) }
      listeners.get('peer').add(VitalsService, vitals(parts))
    })
  },
})
