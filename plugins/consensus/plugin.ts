import { type Clock, definePlugin, type PluginHost, type RunningPeer, type Settings } from '../../kernel/index.js'
import { CHAINCODE } from '../chaincode/index.js'
import { LEDGER, LEDGER_SYNC, validatorKeys } from '../ledger/index.js'
import { STORE } from '../level/index.js'
import { Engines } from './catalog.js'
import { ConsensusDoor } from './door.js'
import { type ConsensusHost, createConsensusHost } from './host.js'
import { consensusKeys } from './keys.js'
import { membersOf, validatorIds } from './members.js'
import { CONSENSUS, ENGINES, FORWARDING, STATE_TRANSFER, TRANSPORT } from './tokens.js'

/** Hosts one consensus engine: accepts and journals transactions, runs the engine, commits what it orders. */
export const consensus = definePlugin({
  name: 'consensus',
  description: 'accepts transactions and hosts the consensus engine that orders them',
  config: { ...consensusKeys, ...validatorKeys },
  requires: [STORE, LEDGER, LEDGER_SYNC, CHAINCODE],
  uses: [TRANSPORT, STATE_TRANSFER, FORWARDING],
  provides: [CONSENSUS, ENGINES],
  apply(peer) {
    const engines = new Engines()
    const door = new ConsensusDoor(
      () => peer.find(LEDGER)?.height() ?? 0n,
      () => peer.find(FORWARDING),
    )
    peer.hooks.db.tap(async () => {
      peer.provide(ENGINES, engines)
      peer.provide(CONSENSUS, door)
    })
    // What would fail the start is found before anything listens.
    peer.onRegistered(async () => {
      const settings = peer.settings(consensusKeys)
      if (peer.settings(validatorKeys)['peer.validator.enabled']) engines.get(settings['peer.validator.consensus.plugin'])
    })
    peer.hooks.start.tap(async (running) => {
      const settings = peer.settings(consensusKeys)
      if (!peer.settings(validatorKeys)['peer.validator.enabled']) {
        door.close('this peer is no validator (peer.validator.enabled is false)')
        return
      }
      const host = createHost(peer, running, engines, settings)
      await host.start()
      door.open(host)
    })
    peer.hooks.stop.tap(async () => {
      const host = door.close('this peer is stopping')
      // What waits for other peers must not hold up the end.
      peer.find(STATE_TRANSFER)?.abort('this peer is stopping')
      await host?.stop()
    })
  },
})

function createHost(peer: PluginHost, running: RunningPeer, engines: Engines, settings: Settings<typeof consensusKeys>): ConsensusHost {
  const members = membersOf(validatorIds(settings, running.endpoint.id), running.endpoint.id)
  const stateTransfer = peer.find(STATE_TRANSFER)
  return createConsensusHost({
    store: peer.use(STORE),
    ledger: peer.use(LEDGER_SYNC),
    chaincode: peer.use(CHAINCODE),
    transport: peer.find(TRANSPORT),
    ...(stateTransfer === undefined ? {} : { transfer: stateTransfer.transfer }),
    engine: engines.get(settings['peer.validator.consensus.plugin']),
    members: members.all,
    self: members.self,
    epoch: 0n,
    seed: seedOf(peer.clock),
    clock: peer.clock,
    log: peer.log,
    limits: {
      maxRequests: settings['consensus.pool.maxRequests'],
      maxRequestBytes: settings['consensus.pool.maxBytes'],
      maxInboundPerMember: settings['peer.validator.consensus.buffersize'],
    },
    defer: (task) => void setImmediate(task),
    onFatal: (reason) => peer.fail(reason),
  })
}

/** Spreads the random choices of validators; a run is repeated by giving a recorded seed to a host, not to a peer. */
function seedOf(clock: Clock): bigint {
  const { seconds, nanos } = clock.now()
  return (seconds << 30n) ^ BigInt(nanos)
}
