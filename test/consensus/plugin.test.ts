import { describe, expect, it } from 'vitest'
import { definePlugin, type Plugin } from '../../kernel/index.js'
import chaincode from '../../plugins/chaincode/index.js'
import consensus, { type Consensus, CONSENSUS, type EngineFactory, ENGINES } from '../../plugins/consensus/index.js'
import grpc from '../../plugins/grpc/index.js'
import ledger from '../../plugins/ledger/index.js'
import level from '../../plugins/level/index.js'
import noopsPlugin from '../../plugins/noops/index.js'
import { temporaryDirectory, testPeer } from '../kernel/sites.js'
import { transactionOf } from './kit/fake-ledger.js'
import { engineOf } from './kit/harness.js'

const small = { 'ledger.state.dataStructure.configs.numBuckets': 11, 'ledger.state.dataStructure.configs.maxGroupingAtEachLevel': 3 }
const site = [grpc, level, ledger, chaincode, consensus]

/** Takes the door when the peer starts. */
function doorTaker(): { readonly plugin: Plugin; readonly door: () => Consensus } {
  let found: Consensus | undefined
  const plugin = definePlugin({
    name: 'door-taker',
    requires: [CONSENSUS],
    apply(peer) {
      peer.hooks.start.tap(async () => {
        found = peer.use(CONSENSUS)
      })
    },
  })
  return {
    plugin,
    door() {
      if (!found) throw new Error('the peer has not started')
      return found
    },
  }
}

/** A plugin that brings an engine. */
const bringing = (factory: EngineFactory): Plugin =>
  definePlugin({
    name: `engine-${factory.name}-${factory.version}`,
    requires: [ENGINES],
    apply: (peer) => peer.hooks.registerServices.tap(async () => peer.use(ENGINES).register(factory, {})),
  })

describe('the consensus plugin', () => {
  it('runs noops by default and commits what is submitted, also after a restart what was only accepted', async () => {
    const directory = temporaryDirectory()
    const first = doorTaker()
    const holding = { ...engineOf(() => ({})), name: 'holding' }
    const before = testPeer([...site, noopsPlugin, first.plugin, bringing(holding)], {
      ...small,
      'peer.fileSystemPath': directory,
      'peer.validator.consensus.plugin': 'HOLDING',
    })
    await before.peer.start()
    const accepted = await first.door().submit(transactionOf('a'))
    expect(first.door().status()).toMatchObject({ engine: { name: 'holding' }, pendingRequests: 1, height: 1n })
    await before.peer.stop()
    await expect(first.door().submit(transactionOf('b'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED' })

    const second = doorTaker()
    const after = testPeer([...site, noopsPlugin, second.plugin], { ...small, 'peer.fileSystemPath': directory })
    await after.peer.start()
    // The chaincode is unknown: what counts is that the request was executed and that its outcome is known.
    const own = await second.door().submit(transactionOf('b'))
    expect(own.id).not.toBe(accepted.id)
    expect(await own.outcome()).toMatchObject({ status: 'rejected' })
    expect(second.door().status()).toMatchObject({ engine: { name: 'noops' }, pendingRequests: 0 })
    await after.peer.stop()
  })

  it('names the registered engines when the configured one is unknown', async () => {
    const { peer, lines } = testPeer([...site, noopsPlugin], { ...small, 'peer.validator.consensus.plugin': 'pbtf' })
    await expect(peer.start()).rejects.toThrow(/no engine 'pbtf'; it has: noops/)
    // Nothing has listened for even a moment.
    expect(lines.filter((line) => line.includes('listener peer on'))).toEqual([])
  })

  it('refuses an engine that is registered twice', async () => {
    const one = { ...engineOf(() => ({})), name: 'twin' }
    const { peer } = testPeer(
      [...site, noopsPlugin, bringing(one), bringing({ ...one, version: '2' }), definePlugin({ ...bringing(one), name: 'again' })],
      small,
    )
    await expect(peer.start()).rejects.toThrow(/twin 1 is registered already/)
  })

  it('refuses a list of validators without this one, or with one twice', async () => {
    for (const [validators, message] of [
      ['vp1,vp2', /not this validator, vp0/],
      ['vp0,vp1,vp1', /vp1 twice/],
    ] as const) {
      const { peer } = testPeer([...site, noopsPlugin], { ...small, 'peer.id': 'vp0', 'consensus.validators': validators })
      await expect(peer.start()).rejects.toThrow(message)
    }
  })

  it('runs no engine on a peer that is no validator, and says so to clients', async () => {
    const { plugin, door } = doorTaker()
    const { peer } = testPeer([...site, noopsPlugin, plugin], { ...small, 'peer.validator.enabled': false })
    await peer.start()
    await expect(door().submit(transactionOf('a'))).rejects.toThrow(/no validator \(peer\.validator\.enabled is false\)/)
    expect(door().status()).toMatchObject({ engine: undefined, valid: true })
    await peer.stop()
  })
})
