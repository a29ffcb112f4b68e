import { describe, expect, it } from 'vitest'
import type { EngineFactory } from '../../plugins/consensus/index.js'
import type { Ledger } from '../../plugins/ledger/index.js'
import { encode, HostNote } from '../../proto/index.js'
import { highestOf, statementBytes } from '../../plugins/consensus/swap/recovery.js'
import { pbft } from '../../plugins/pbft/engine.js'
import { keyedHashes } from '../kit/keyed-hash-signer.js'
import { Simulation } from '../kit/simulation.js'
import { makeTransaction } from '../kit/transactions.js'
import { logicalWorld } from '../kit/worlds.js'
import { raftSkeleton } from '../simulator/skeletons/raft.js'

const OPTIONS = { 'timeout.request': '1s', 'timeout.viewchange': '1s', 'timeout.batch': '20ms' }

/** An engine that never orders anything. */
const mute: EngineFactory<undefined> = { ...raftSkeleton, name: 'mute', create: () => ({}) }

async function networkWithBlocks(more: readonly EngineFactory[] = []) {
  const network = new Simulation({ seed: 3, members: 4, engine: { factory: pbft, options: OPTIONS }, successors: [raftSkeleton, ...more], ...logicalWorld })
  await network.start()
  for (let each = 0; each < 8; each++) network.peer(each % 4).submit(makeTransaction(`t${each}`))
  await network.runUntil('all committed', () => network.invariants.acceptedCount === 8 && network.invariants.unfinished().length === 0, 10_000)
  return network
}

/** Writes take virtual time. */
async function done<L extends Ledger>(network: Simulation<L>, work: Promise<void> | undefined): Promise<void> {
  let isDone = false
  const ended = work?.then(() => {
    isDone = true
  })
  await network.runUntil('it is done', () => isDone, 10_000)
  await ended
}

describe('of the heads that are stated', () => {
  const head = (member: number, height: bigint, hash: number) => ({ member, height, hash: Buffer.of(hash) })

  it('the highest is taken, and of several of that height the one that most state, whatever the own one and the order of arrival', () => {
    expect(highestOf([head(0, 9n, 1), head(3, 10n, 9), head(1, 10n, 5), head(2, 10n, 5)])).toEqual({ highest: head(1, 10n, 5), vouching: [1, 2] })
    expect(highestOf([head(3, 10n, 9), head(1, 10n, 5), head(2, 10n, 5)]).vouching).toEqual([1, 2])
    expect(highestOf([head(0, 11n, 9), head(1, 10n, 5)]).vouching).toEqual([0])
    for (const heads of [
      [head(0, 10n, 7), head(1, 10n, 6)],
      [head(1, 10n, 6), head(0, 10n, 7)],
    ])
      expect(highestOf(heads).vouching).toEqual([1])
  })
})

describe('a height that cannot be', () => {
  it('is not taken for one, if there is an engine that bears those who state it', () => {
    const at = (member: number, height: bigint) => ({ member, height, hash: Buffer.of(member) })
    expect(highestOf([at(0, 10n), at(1, 12n), at(2, 2n ** 60n)], 1).highest.height).toBe(12n)
    expect(highestOf([at(0, 10n), at(1, 12n), at(2, 10_012n)], 1).highest.height).toBe(10_012n)
    expect(highestOf([at(0, 10n), at(1, 2n ** 60n), at(2, 2n ** 61n), at(3, 11n), at(4, 9n)], 2).highest.height).toBe(11n)
    // Without liars every statement is true, however far behind the others are.
    expect(highestOf([at(0, 10n), at(1, 1_000_000n)]).highest.height).toBe(1_000_000n)
  })
})

describe('a recovery', () => {
  it('begins the next epoch at the highest head once all validators have stated theirs', async () => {
    const network = await networkWithBlocks()
    network.peer(0).submit(makeTransaction('journaled'))
    const wish = { engine: raftSkeleton.name, options: {}, acceptLoss: [] }
    for (const peer of network.peers.slice(0, 3)) await done(network, peer.host?.recovery.begin(wish))
    await network.run(3000)
    expect(network.peer(0).host?.recovery.report()).toMatchObject({
      started: false,
      rows: [{ stated: true }, { stated: true }, { stated: true }, { stated: false }],
    })
    expect(network.peer(1).host?.status().halted).toMatch(/operator has stopped/)
    // Durably: a restart does not bring the engine back.
    network.peer(2).crash('power')
    network.peer(2).start()
    await network.run(1000)
    expect(network.peer(2).host?.status().halted).toMatch(/operator has stopped/)
    await done(network, network.peer(3).host?.recovery.begin(wish))
    await network.runUntil('the epoch has started everywhere', () => network.peers.every(({ host }) => host?.recovery.report().started === true), 20_000)
    await network.runUntil('the journaled one is committed', () => network.invariants.unfinished().length === 0, 20_000)
    network.peer(3).submit(makeTransaction('after'))
    await network.runUntil('committed', () => network.invariants.missing([0, 1, 2, 3]).length === 0, 20_000)
    expect(network.peer(0).host?.swaps.history()).toMatchObject([{ epoch: 0n }, { epoch: 1n, engine: raftSkeleton.name, isRecovery: true, missing: [] }])
    network.peer(1).crash('power')
    network.peer(1).start()
    await network.run(2000)
    expect(network.peer(1).host?.status()).toMatchObject({ epoch: 1n, halted: undefined })
  })

  it('to an engine that orders nothing either is given up by another one', async () => {
    const network = await networkWithBlocks([mute])
    for (const peer of network.peers) await done(network, peer.host?.recovery.begin({ engine: mute.name, options: {}, acceptLoss: [] }))
    await network.run(3000)
    expect(network.peer(0).host?.status()).toMatchObject({ epoch: 1n, engine: { name: 'mute' } })
    for (const peer of network.peers) await done(network, peer.host?.recovery.begin({ engine: raftSkeleton.name, options: {}, acceptLoss: [] }))
    await network.runUntil('the epoch has started everywhere', () => network.peers.every(({ host }) => host?.recovery.report().started === true), 20_000)
    network.peer(2).submit(makeTransaction('after'))
    await network.runUntil('committed', () => network.invariants.missing([0, 1, 2, 3]).length === 0, 20_000)
    expect(network.peer(3).host?.swaps.history()).toMatchObject([{ epoch: 0n }, { epoch: 1n, engine: raftSkeleton.name }])
  })

  it('goes on without a validator that is lost, which is recorded, and who follows when it is back', async () => {
    const network = await networkWithBlocks()
    // The three others never hear of the last block.
    const [lost] = network.peers.slice(3)
    network.links.partition([[0, 1, 2], [3]])
    for (const peer of network.peers.slice(0, 3)) await done(network, peer.host?.recovery.begin({ engine: 'pbft', options: OPTIONS, acceptLoss: ['vp3'] }))
    await network.runUntil('the epoch has started', () => network.peers.slice(0, 3).every(({ host }) => host?.recovery.report().started === true), 20_000)
    expect(network.peer(0).host?.swaps.view().record).toMatchObject({ epoch: 1n, missing: [3], isRecovery: true })
    network.links.heal()
    await network.runUntil('the lost one follows', () => lost?.host?.status().epoch === 1n, 20_000)
  })

  it('is not waited for in vain by a validator that died after its statement, before it had those of the others', async () => {
    const network = await networkWithBlocks()
    const [late] = network.peers.slice(3)
    const wish = { engine: raftSkeleton.name, options: {}, acceptLoss: [] }
    // It is heard, and hears nothing.
    for (const member of [0, 1, 2]) network.links.intercept(member, { sends: ({ to, bytes }) => (to === 3 ? [] : [{ to, bytes }]) })
    for (const peer of network.peers) await done(network, peer.host?.recovery.begin(wish))
    await network.runUntil('the epoch has started', () => network.peers.slice(0, 3).every(({ host }) => host?.recovery.report().started === true), 20_000)
    late?.crash('power')
    for (const member of [0, 1, 2]) network.links.intercept(member, { sends: ({ to, bytes }) => [{ to, bytes }] })
    network.peer(0).submit(makeTransaction('while it was away'))
    await network.runUntil('committed', () => network.invariants.missing([0, 1, 2]).length === 0, 20_000)
    late?.start()
    await network.runUntil('it follows', () => late?.host?.status().epoch === 1n && late.host.status().halted === undefined, 20_000)
    expect(late?.host?.recovery.report().state).toBe('no recovery is under way at this validator')
    network.peer(3).submit(makeTransaction('after'))
    await network.runUntil('it takes part', () => network.invariants.missing([0, 1, 2, 3]).length === 0, 20_000)
  })

  /** Member 3 says, with everything that it says, that it stands at this height. */
  const lie = (network: Awaited<ReturnType<typeof networkWithBlocks>>, height: bigint): void =>
    network.links.intercept(3, {
      sends({ to, bytes }) {
        const plan = network.peer(0).host?.recovery.report().id ?? expect.fail()
        const said = { fromEpoch: 0n, plan, member: 3, height, hash: Buffer.alloc(64, 7), signature: new Uint8Array(0), asks: false }
        const value = { ...said, signature: keyedHashes.sign({ index: 3, id: 'vp3' }, statementBytes(said)) }
        return [
          { to, bytes: Buffer.concat([Buffer.of(1), encode(HostNote, { note: { $case: 'recovery', value } })]) },
          { to, bytes },
        ]
      },
    })

  it('is not held up by a height that there cannot be', async () => {
    const network = await networkWithBlocks()
    lie(network, 2n ** 60n)
    for (const peer of network.peers.slice(0, 3)) await done(network, peer.host?.recovery.begin({ engine: raftSkeleton.name, options: {}, acceptLoss: [] }))
    await network.runUntil('the epoch has started', () => network.peers.slice(0, 3).every(({ host }) => host?.recovery.report().started === true), 20_000)
  })

  it('says who states a head that nobody can have, and takes none of a validator that is given up', async () => {
    const network = await networkWithBlocks()
    lie(network, 1000n)
    const wish = { engine: raftSkeleton.name, options: {}, acceptLoss: [] as string[] }
    for (const peer of network.peers.slice(0, 3)) await done(network, peer.host?.recovery.begin(wish))
    await network.run(3000)
    const state: unknown = expect.stringMatching(/height 1000, which vp3 states: .*--accept-loss/)
    expect(network.peer(0).host?.recovery.report()).toMatchObject({ started: false, state })
    for (const peer of network.peers.slice(0, 3)) await done(network, peer.host?.recovery.begin({ ...wish, acceptLoss: ['vp3'] }))
    await network.runUntil('the epoch has started', () => network.peers.slice(0, 3).every(({ host }) => host?.recovery.report().started === true), 20_000)
  })

  it('that was begun by mistake can be cancelled: the engine goes on where it stopped, and the others take the statement as withdrawn', async () => {
    const network = await networkWithBlocks()
    const wish = { engine: raftSkeleton.name, options: {}, acceptLoss: [] }
    for (const peer of network.peers.slice(0, 3)) await done(network, peer.host?.recovery.begin(wish))
    await network.run(2000)
    for (const peer of network.peers.slice(1, 3)) await done(network, peer.host?.recovery.cancel())
    await network.run(500)
    expect(network.peer(0).host?.recovery.report().rows.slice(1, 3)).toMatchObject([{ stated: false }, { stated: false }])
    network.peer(1).submit(makeTransaction('goes on'))
    await network.runUntil('committed by three', () => network.invariants.missing([1, 2, 3]).length === 0, 20_000)
    expect(network.peer(1).host?.status()).toMatchObject({ epoch: 0n, halted: undefined })
    // Also over a restart.
    network.peer(2).crash('power')
    network.peer(2).start()
    await done(network, network.peer(0).host?.recovery.cancel())
    network.peer(0).submit(makeTransaction('all'))
    await network.runUntil('committed by all', () => network.invariants.missing([0, 1, 2, 3]).length === 0, 20_000)
    await expect(network.peer(0).host?.recovery.cancel()).rejects.toMatchObject({ code: 'ERR_RECOVERY_NONE' })
  })

  it('cannot be cancelled where the next epoch has begun, nor when it is begun anew there', async () => {
    const network = await networkWithBlocks([mute])
    for (const peer of network.peers) await done(network, peer.host?.recovery.begin({ engine: mute.name, options: {}, acceptLoss: [] }))
    await network.run(3000)
    await expect(network.peer(0).host?.recovery.cancel()).rejects.toMatchObject({ code: 'ERR_RECOVERY_DECIDED' })
    await done(network, network.peer(0).host?.recovery.begin({ engine: raftSkeleton.name, options: {}, acceptLoss: [] }))
    await expect(network.peer(0).host?.recovery.cancel()).rejects.toMatchObject({ code: 'ERR_RECOVERY_DECIDED' })
  })

  it('with different plans costs a few statements a second, and says who differs', async () => {
    const network = await networkWithBlocks()
    let notes = 0
    for (const [member, { host }] of network.peers.slice(0, 2).entries()) {
      network.links.intercept(member, {
        sends({ to, bytes }) {
          notes++
          return [{ to, bytes }]
        },
      })
      await done(network, host?.recovery.begin({ engine: raftSkeleton.name, options: {}, acceptLoss: member === 0 ? [] : ['vp3'] }))
    }
    notes = 0
    await network.run(5000)
    // Each says its own to three others every second, and answers.
    expect(notes).toBeLessThan(200)
    expect(network.peer(0).host?.recovery.report().rows[1]).toMatchObject({ differs: true, stated: false })
  })

  it('that happened without a validator which has committed something else stops that one, loudly', async () => {
    const network = await networkWithBlocks()
    const hash = Buffer.alloc(64, 1)
    const crossing = { epoch: 1n, activation: 1n, hash, height: 2n, asks: false, recovery: true, marker: new Uint8Array(0) }
    const note = Buffer.concat([Buffer.of(1), encode(HostNote, { note: { $case: 'crossing', value: crossing } })])
    // What two of them would say after a recovery whose last block is another one.
    for (const member of [0, 1])
      network.links.intercept(member, {
        sends: ({ to, bytes }) =>
          to === 3
            ? [
                { to, bytes: note },
                { to, bytes },
              ]
            : [{ to, bytes }],
      })
    network.peer(3).submit(makeTransaction('more'))
    await expect(network.run(3000)).rejects.toThrow(/they are lost to the network/)
    expect(network.peer(3).host?.status().halted).toMatch(/recovered without this validator/)
  })
})
