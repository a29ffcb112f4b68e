import { definePlugin } from '../../kernel/index.js'
import { HTTP } from '../http/index.js'
import { LEDGER, validatorKeys } from '../ledger/index.js'
import { REST } from '../rest/index.js'
import { EventsListenCommand } from './commands/listen.js'
import { EVENT_COUNTERS, EventCounters } from './counters.js'
import { EventHub, type HubLimits } from './hub.js'
import { eventsKeys } from './keys.js'
import { eventRoutes } from './sse.js'
import { eventsService, eventsServiceDefinition } from './service.js'

const LOOPBACK = /^(127(\.\d+){3}|localhost|\[::1\]):/

const keys = { ...eventsKeys, ...validatorKeys }

/** The event hub: tells consumers of blocks, chaincode events and rejections (spec/node.md §7). See README.md. */
export default definePlugin({
  name: 'events',
  description: 'the event hub: blocks, chaincode events and rejections, live and from any block on',
  config: keys,
  commands: [EventsListenCommand],
  requires: [LEDGER],
  uses: [HTTP, REST],
  provides: [EVENT_COUNTERS],
  apply(peer) {
    let hub: EventHub | undefined
    let address = ''
    peer.hooks.registerServices.tap(async (listeners) => {
      const settings = peer.settings(keys)
      if (!settings['peer.validator.enabled']) {
        // Nothing is committed here, so there is nothing to tell of.
        peer.provide(EVENT_COUNTERS, new EventCounters())
        return
      }
      const limits: HubLimits = {
        bufferBlocks: Math.max(1, settings['peer.validator.events.buffersize']),
        timeoutMs: settings['peer.validator.events.timeout'],
        bufferBytes: settings['peer.validator.events.bufferbytes'],
        maxConsumers: settings['peer.validator.events.maxconsumers'],
      }
      hub = new EventHub({ ledger: peer.use(LEDGER), limits, clock: peer.clock, log: peer.log })
      peer.provide(EVENT_COUNTERS, hub.counters)
      address = settings['peer.validator.events.address']
      const listener = listeners.declare('events', address, 'peer.validator.events.address')
      listener.add(eventsServiceDefinition, eventsService(hub, peer.log))
      // The door of REST, where the site has one.
      peer.find(HTTP)?.find('rest')?.add(eventRoutes(hub, peer.clock))
      hub.open()
    })
    peer.hooks.start.tap(async () => {
      if (hub === undefined || LOOPBACK.test(address)) return
      peer.log.warning(`the event hub listens on ${address}: whoever reaches it can read every block and event, nothing authenticates consumers`, {
        key: 'peer.validator.events.address',
      })
    })
    peer.hooks.stop.tap(async () => hub?.close())
  },
})
