import { type Clock, definePlugin, peerKeys, type PluginHost, type RunningPeer } from '../../kernel/index.js'
import { ConsensusToolsService } from '../../proto/index.js'
import { CHAINCODE, compatibilityKeys } from '../chaincode/index.js'
import { LEDGER, LEDGER_SYNC, ledgerKeys, validatorKeys } from '../ledger/index.js'
import { STORE } from '../level/index.js'
import { agreedSettings } from './agreed-settings.js'
import { Engines } from './catalog.js'
import { CancelCommand } from './commands/cancel.js'
import { HistoryCommand } from './commands/history.js'
import { RecoverCommand } from './commands/recover.js'
import { RestartEngineCommand } from './commands/restart-engine.js'
import { SetCommand } from './commands/set.js'
import { SignCommand } from './commands/sign.js'
import { ConsensusStatusCommand } from './commands/status.js'
import { SwapCommand } from './commands/swap.js'
import { ConsensusDoor } from './door.js'
import type { HelloDeclaration } from './consensus.js'
import { ConsensusCounters } from './counters.js'
import { createConsensusHost } from './host.js'
import type { ConsensusHost } from './host-options.js'
import { consensusKeys } from './keys.js'
import { membersOf, validatorIds } from './members.js'
import { requireOwnRecords } from './own-records.js'
import { consensusTools } from './service.js'
import { CONSENSUS_NAME } from './swap/records.js'
import { networkOf } from './swap/policy.js'
import { policyOf, policyText, successionRules } from './swap/rules.js'
import { successionChaincode } from './swap/system-chaincode.js'
import { CONSENSUS, CONSENSUS_FIGURES, ENGINES, EPOCH_TRANSPORT, FORWARDING, HELLO, STATE_TRANSFER, TRACING, TRANSPORT } from './tokens.js'

/** Hosts one consensus engine: accepts and journals transactions, runs the engine, commits what it orders. */
export const consensus = definePlugin({
  name: 'consensus',
  description: 'accepts transactions and hosts the consensus engine that orders them',
  config: { ...consensusKeys, ...validatorKeys, ...compatibilityKeys },
  requires: [STORE, LEDGER, LEDGER_SYNC, CHAINCODE],
  uses: [TRANSPORT, EPOCH_TRANSPORT, HELLO, STATE_TRANSFER, FORWARDING, TRACING],
  provides: [CONSENSUS, CONSENSUS_FIGURES, ENGINES],
  commands: [ConsensusStatusCommand, SwapCommand, SetCommand, CancelCommand, SignCommand, HistoryCommand, RestartEngineCommand, RecoverCommand],
  apply(peer) {
    const engines = new Engines()
    const door = new ConsensusDoor(
      () => peer.find(LEDGER)?.height() ?? 0n,
      () => peer.find(FORWARDING),
      new ConsensusCounters(() => peer.clock.elapsedMs()),
    )
    peer.hooks.db.tap(async () => {
      peer.provide(ENGINES, engines)
      peer.provide(CONSENSUS, door)
      peer.provide(CONSENSUS_FIGURES, door)
    })
    let id = ''
    peer.hooks.endpoint.tap(async (endpoint) => {
      id = endpoint.id
      return endpoint
    })
    peer.hooks.registerServices.tap(async (listeners) => {
      const head = () => ({ hash: peer.use(LEDGER).info().currentBlockHash, stateHash: peer.use(LEDGER).stateHash() ?? new Uint8Array(0) })
      listeners.get('peer').add(ConsensusToolsService, consensusTools({ id: () => id, consensus: door, head, host: () => door.running }))
    })
    // What would fail the start is found before anything listens.
    peer.onRegistered(async () => {
      if (!peer.settings(validatorKeys)['peer.validator.enabled']) return
      const declared = await declaration(peer, engines, id)
      peer.find(HELLO)?.declare(declared)
    })
    peer.hooks.start.tap(async (running) => {
      if (!peer.settings(validatorKeys)['peer.validator.enabled']) {
        door.close('this peer is no validator (peer.validator.enabled is false)')
        return
      }
      const host = await createHost(peer, running, engines, door.counters)
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

/** Throws what names an engine that is unknown, and wrong options of it. */
async function declaration(peer: PluginHost, engines: Engines, self: string): Promise<HelloDeclaration> {
  const settings = peer.settings(consensusKeys)
  const engine = await engines.find(settings['peer.validator.consensus.plugin'])
  const ledger = peer.settings(ledgerKeys)
  const structure = ledger['ledger.state.dataStructure.name']
  const buckets = ['ledger.state.dataStructure.configs.numBuckets', 'ledger.state.dataStructure.configs.maxGroupingAtEachLevel'] as const
  return agreedSettings({
    validators: validatorIds(settings, self),
    factory: engine,
    options: await engine.checkOptions(engine.options),
    compatibility: peer.settings(compatibilityKeys)['peer.validator.compatibility'],
    settings: {
      'ledger.state.dataStructure.name': structure,
      'consensus.policy': policyText(policyOf(settings, peer.settings(peerKeys)['peer.networkId'])),
      ...(structure === 'buckettree' ? Object.fromEntries(buckets.map((key) => [key, ledger[key]])) : {}),
    },
  })
}

async function createHost(peer: PluginHost, running: RunningPeer, engines: Engines, counters: ConsensusCounters): Promise<ConsensusHost> {
  const settings = peer.settings(consensusKeys)
  const members = membersOf(validatorIds(settings, running.endpoint.id), running.endpoint.id)
  await requireOwnRecords(peer.use(STORE), members.all, members.self)
  const stateTransfer = peer.find(STATE_TRANSFER)
  const engine = await engines.find(settings['peer.validator.consensus.plugin'])
  let host: ConsensusHost | undefined
  const policy = policyOf(settings, peer.settings(peerKeys)['peer.networkId'])
  const isWeft = peer.settings(compatibilityKeys)['peer.validator.compatibility'] === 'weft'
  if (isWeft) {
    const rules = successionRules({
      engine,
      members: members.all,
      policy,
      ledger: peer.use(LEDGER),
      recovered: () => host?.recovery.record,
    })
    peer.use(CHAINCODE).registerSystem(
      CONSENSUS_NAME,
      successionChaincode(() => rules),
      { callable: false },
    )
  }
  host = createConsensusHost({
    store: peer.use(STORE),
    ledger: peer.use(LEDGER_SYNC),
    chaincode: peer.use(CHAINCODE),
    transport: peer.find(TRANSPORT),
    notes: peer.find(EPOCH_TRANSPORT),
    ...(stateTransfer === undefined ? {} : { transfer: stateTransfer.transfer }),
    engine,
    engines,
    network: networkOf(policy),
    members: members.all,
    self: members.self,
    executesRepetitions: !isWeft,
    hasFixedEngine: !isWeft,
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
    counters,
    probe: peer.find(TRACING)?.probe,
  })
  return host
}

/** Spreads the random choices of validators; a run is repeated by giving a recorded seed to a host, not to a peer. */
function seedOf(clock: Clock): bigint {
  const { seconds, nanos } = clock.now()
  return (seconds << 30n) ^ BigInt(nanos)
}
