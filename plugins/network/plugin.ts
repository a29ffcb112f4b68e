import { randomBytes } from 'node:crypto'
import { definePlugin, messageOf, type PluginHost, type Settings } from '../../kernel/index.js'
import { NetworkToolsService, PeerEndpoint_Type } from '../../proto/index.js'
import { EPOCH_TRANSPORT, FORWARDING, HELLO, STATE_TRANSFER, type StateTransferService, TRANSPORT, validatorIds } from '../consensus/index.js'
import { unary } from '../grpc/index.js'
import { LEDGER, LEDGER_SYNC } from '../ledger/index.js'
import { STORE } from '../level/index.js'
import { TLS } from '../tls/index.js'
import { AddressBook } from './address-book.js'
import { ListCommand } from './commands/list.js'
import { LoginCommand } from './commands/login.js'
import { StatusCommand } from './commands/status.js'
import { TransactionForwarding } from './forwarding.js'
import { Greeter, type SelfEndpoint } from './greeter.js'
import { networkKeys } from './keys.js'
import { PeerNetwork } from './network.js'
import { openChat } from './open-chat.js'
import { chatService, chatServiceDefinition } from './service.js'
import { announceBlock } from './state-transfer/block-added.js'
import { createSync } from './state-transfer/create.js'
import { NETWORK } from './tokens.js'

/** Connects this peer to others: handshake, discovery, consensus messages, state transfer (spec/wire.md §11). */
export default definePlugin({
  name: 'network',
  description: 'connects to other peers: discovery, consensus messages; peer network list and status',
  config: networkKeys,
  requires: [STORE, LEDGER, LEDGER_SYNC, TLS],
  provides: [NETWORK, HELLO, TRANSPORT, EPOCH_TRANSPORT, STATE_TRANSFER, FORWARDING],
  commands: [ListCommand, LoginCommand, StatusCommand],
  apply(peer) {
    const self: SelfEndpoint = { ID: { name: '' }, address: '', type: PeerEndpoint_Type.UNDEFINED, pkiID: new Uint8Array(0) }
    let network: PeerNetwork | undefined
    let forwarding: TransactionForwarding | undefined
    peer.hooks.endpoint.tap(async (endpoint) => {
      self.ID.name = endpoint.id
      self.address = endpoint.address
      return endpoint
    })
    peer.hooks.registerServices.tap(async (listeners) => {
      const settings = peer.settings(networkKeys)
      self.type = settings['peer.validator.enabled'] ? PeerEndpoint_Type.VALIDATOR : PeerEndpoint_Type.NON_VALIDATOR
      const created = createNetwork(peer, self)
      network = created
      forwarding = new TransactionForwarding({
        isValidator: settings['peer.validator.enabled'],
        network: created,
        dial: { settings, tls: peer.use(TLS) },
        random: Math.random,
      })
      peer.provide(NETWORK, created)
      peer.provide(HELLO, created)
      peer.provide(TRANSPORT, created.transport)
      peer.provide(EPOCH_TRANSPORT, created.epochs)
      peer.provide(STATE_TRANSFER, attachSync(peer, created, self))
      peer.provide(FORWARDING, forwarding)
      listeners.get('peer').add(chatServiceDefinition, chatService(created))
      listeners.get('peer').add(NetworkToolsService, { status: unary(async () => created.status()) })
    })
    peer.hooks.start.tap(async ({ endpoint }) => {
      // A plugin that is listed later may have changed it.
      self.address = endpoint.address
      network?.start()
    })
    peer.hooks.stop.tap(async () => {
      forwarding?.close()
      await network?.stop()
    })
  },
})

/** Lets the network serve state transfer, and returns what fetches. */
function attachSync(peer: PluginHost, network: PeerNetwork, self: SelfEndpoint): StateTransferService {
  const settings = peer.settings(networkKeys)
  const ledger = peer.use(LEDGER_SYNC)
  const log = peer.log.in('transfer')
  const sync = createSync({ network, ledger, clock: peer.clock, log, random: Math.random, members: validatorIds(settings, self.ID.name), settings })
  network.sync = sync.handler
  if (isNoops(settings) && settings['peer.validator.enabled']) {
    peer.onDispose(ledger.onCommit((block) => announceBlock(network, ledger, block, peer.clock.now())))
  }
  return sync.transfer
}

function isNoops(settings: Settings<typeof networkKeys>): boolean {
  return settings['peer.validator.consensus.plugin'].toLowerCase() === 'noops'
}

function createNetwork(peer: PluginHost, self: SelfEndpoint): PeerNetwork {
  const settings = peer.settings(networkKeys)
  const { clock } = peer
  const dial = { settings, tls: peer.use(TLS) }
  return new PeerNetwork({
    self,
    members: validatorIds(settings, self.ID.name),
    clock,
    log: peer.log,
    defer: (task) => void setImmediate(task),
    random: Math.random,
    book: new AddressBook(peer.use(STORE), settings['peer.discovery.persist'], (reason) =>
      peer.log.error('the addresses of other peers cannot be kept', { reason: messageOf(reason) }),
    ),
    greeter: new Greeter({ self, session: randomBytes(16).toString('hex'), info: () => peer.use(LEDGER).info(), clock }),
    rootNodes: settings['peer.discovery.rootnode'],
    periodMs: settings['peer.discovery.period'],
    touchPeriodMs: settings['peer.discovery.touchPeriod'],
    maxDials: settings['peer.discovery.touchMaxNodes'],
    maxLinks: settings['peer.limits.links'],
    timesConsensus: isNoops(settings),
    open: (to) => openChat(to, dial),
  })
}
