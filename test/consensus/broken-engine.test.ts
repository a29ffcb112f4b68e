import { describe, expect, it } from 'vitest'
import type { EngineFactory, EngineHost } from '../../plugins/consensus/index.js'
import { pbft } from '../../plugins/pbft/engine.js'
import { Simulation } from '../kit/simulation.js'
import { makeTransaction } from '../kit/transactions.js'
import { logicalWorld } from '../kit/worlds.js'
import { raftSkeleton } from '../simulator/skeletons/raft.js'

const OPTIONS = { 'timeout.request': '1s', 'timeout.viewchange': '1s', 'timeout.batch': '20ms' }

type Deed = (host: EngineHost) => void
const DEEDS: Readonly<Record<string, readonly [Deed, RegExp]>> = {
  throws: [
    () => {
      throw new Error('a defect')
    },
    /threw in '\w+': a defect/,
  ],
  'asks without end': [
    (host) => {
      for (;;) host.broadcast(new Uint8Array(1))
    },
    /a handler may ask for 250000 effects/,
  ],
}

/** pbft in process that breaks on the members that are named, for as long as they are. */
function breakable(broken: Map<number, Deed>): EngineFactory {
  return {
    ...pbft,
    parseOptions: (raw) => pbft.parseOptions(raw),
    create(host, _options, start) {
      const engine = pbft.create(host, pbft.parseOptions(OPTIONS), start)
      return {
        ...engine,
        onMessage(from, bytes) {
          broken.get(host.self)?.(host)
          engine.onMessage?.(from, bytes)
        },
      }
    },
  }
}

async function started(broken: Map<number, Deed>) {
  const network = new Simulation({
    seed: 11,
    members: 4,
    engine: { factory: breakable(broken), options: OPTIONS },
    successors: [raftSkeleton],
    breakable: [0, 1, 2, 3],
    ...logicalWorld,
  })
  await network.start()
  let sent = 0
  const submit = (member: number): void => void network.peer(member).submit(makeTransaction(`t${sent++}`))
  const committed = async (members: readonly number[] = [0, 1, 2, 3]): Promise<void> => {
    await network.runUntil('everything submitted is accepted', () => network.invariants.acceptedCount === sent, 1000)
    await network.runUntil('it is committed', () => network.invariants.missing(members).length === 0, 20_000)
  }
  const settled = async (work: Promise<void> | undefined): Promise<void> => {
    let isDone = false
    const ended = work?.then(() => {
      isDone = true
    })
    await network.runUntil('it is done', () => isDone, 20_000)
    await ended
  }
  return { network, submit, committed, settled }
}

describe('an engine in process that breaks', () => {
  it.each(Object.entries(DEEDS))('%s on one validator: the others go on, it says why, and restart-engine brings it back', async (_deed, [deed, why]) => {
    const broken = new Map<number, Deed>()
    const { network, submit, committed, settled } = await started(broken)
    submit(2)
    await committed()
    broken.set(2, deed)
    submit(1)
    await network.runUntil('it is halted', () => network.peer(2).host?.status().halted !== undefined, 5000)
    expect(network.peer(2).host?.status().halted).toMatch(why)
    await expect(network.peer(2).host?.submit(makeTransaction('refused'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED', grpcStatus: 14 })
    await committed([0, 1, 3])
    broken.delete(2)
    await settled(network.peer(2).host?.restartEngine())
    expect(network.peer(2).host?.status().halted).toBeUndefined()
    submit(2)
    submit(3)
    await committed()
    await network.checkAll()
  })

  it('on more validators than it tolerates: recover brings the network back, and nothing that was acknowledged is lost', async () => {
    const broken = new Map<number, Deed>()
    const { network, submit, committed, settled } = await started(broken)
    for (const member of [0, 1, 2, 3]) submit(member)
    await committed()
    const [deed] = DEEDS['throws'] ?? []
    if (!deed) throw new Error('no deed')
    for (const member of [0, 1, 2]) broken.set(member, deed)
    submit(3)
    await network.run(3000)
    expect(network.invariants.unfinished().length).toBeGreaterThan(0)
    for (const member of [0, 1, 2]) expect(network.peer(member).host?.status().halted).toMatch(/a defect/)
    const wish = { engine: raftSkeleton.name, options: {}, acceptLoss: [] }
    for (const { host } of network.peers) await settled(host?.recovery.begin(wish))
    await network.runUntil('the next epoch has started', () => network.peers.every(({ host }) => host?.recovery.report().started === true), 20_000)
    await committed()
    submit(1)
    await committed()
    await network.checkAll()
    for (const { host } of network.peers) expect(host?.status()).toMatchObject({ epoch: 1n, halted: undefined })
  })
})
