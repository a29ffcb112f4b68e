import { describe, expect, it } from 'vitest'
import { pbft } from '../../plugins/pbft/index.js'
import { DoorOrder, faultKinds, planScenario, playScenario } from '../kit/index.js'
import { raftSkeleton } from './skeletons/raft.js'

const BEARS_ONE = { tolerates: () => ({ crashed: 1, byzantine: 0 }) }
const BEARS_NOTHING = { tolerates: () => ({ crashed: 0, byzantine: 0 }) }

/** Three members in epoch 0, of which vp0 leads. */
class Network {
  readonly wrong: string[] = []
  readonly order = new DoorOrder(3, ({ kind, statement }) => this.wrong.push(`${kind}: ${statement}`))
  #blocks = 1

  constructor(engine = BEARS_ONE) {
    for (const member of [0, 1, 2]) this.order.grew(member, 1)
    this.begin(0n, engine)
    if (engine === BEARS_ONE) this.state(0n, 3, 'vp0')
  }

  begin(epoch: bigint, engine = BEARS_ONE): void {
    for (const member of [0, 1, 2]) {
      this.order.begins(member, epoch, this.#blocks)
      expect(this.order.made(member, epoch, engine)).toBe(true)
    }
  }

  state(epoch: bigint, view: number, leader: string): void {
    for (const member of [0, 1, 2]) this.order.stated(member, epoch, { term: view, leader })
  }

  give(door: number, ...names: string[]): void {
    for (const name of names) {
      this.order.given(door, name)
      this.order.accepted(door, name, name)
    }
  }

  commit(epoch: bigint, ...names: string[]): void {
    const number = this.#blocks
    this.#blocks += 1
    this.order.grew(0, this.#blocks)
    for (const name of names) this.order.committed(name, number, epoch)
    for (const member of [1, 2]) this.order.grew(member, this.#blocks)
    for (const member of [0, 1, 2]) this.order.delivered(member, BigInt(number))
  }

  end(): readonly string[] {
    this.order.end()
    return this.wrong
  }
}

describe('the order at one door', () => {
  it('is that of acceptance, over blocks and within them', () => {
    const net = new Network()
    net.give(1, 'a', 'b', 'c')
    net.give(2, 'x')
    net.commit(0n, 'x', 'a', 'b')
    net.commit(0n, 'c')
    expect(net.end()).toEqual([])
    expect(net.order.held).toBe(2)
  })

  it('names both requests, the door, the blocks and epochs, and who led', () => {
    const net = new Network()
    net.give(1, 'a', 'b')
    net.commit(0n, 'b')
    net.begin(1n)
    net.commit(1n, 'a')
    expect(net.end()).toEqual([
      'safety: the order at vp1 is not kept: it accepted a before b, and the chain has b first, in block 1 of epoch 0, and then a, in block 2 of epoch 1; vp0 led in view 3 of epoch 0 all the while, and nothing disturbed it or vp1',
    ])
  })

  it('is found wrong within a block, and as soon as those concerned could have said that another leads', () => {
    const net = new Network()
    net.give(1, 'a', 'b')
    net.commit(0n, 'b', 'a')
    expect(net.wrong).toEqual([])
    net.commit(0n)
    expect(net.wrong).toHaveLength(1)
  })

  it('holds for what waits while engines change, whatever happened in the epoch before', () => {
    const net = new Network()
    net.give(1, 'a', 'b')
    net.order.shaken(1)
    net.state(0n, 4, 'vp1')
    net.begin(1n)
    net.state(1n, 0, 'vp2')
    net.commit(1n, 'b', 'a')
    expect(net.end()).toHaveLength(1)
  })

  it.each<[string, (net: Network) => void]>([
    ['another view', (net) => net.state(0n, 4, 'vp0')],
    ['another leader', (net) => net.state(0n, 3, 'vp2')],
    ['one member in another view', (net) => net.order.stated(2, 0n, { term: 4, leader: 'vp0' })],
    ['a leader that is not known', (net) => net.order.stated(1, 0n, { term: 3 })],
    ['a crash or a broken link of the door', (net) => net.order.shaken(1)],
    ['one of the leader', (net) => net.order.shaken(0)],
    ['another instance of the engine', (net) => net.order.begins(1, 0n, 1)],
    [
      'blocks taken from others',
      (net) => net.order.transferred(1, { reached: true, head: { height: 7n, hash: new Uint8Array(), blob: new Uint8Array() }, metadata: undefined }),
    ],
    ['a transfer that failed', (net) => net.order.transferred(0, { reached: false, reason: 'nobody has it' })],
    ['the first given once more elsewhere', (net) => net.order.given(2, 'a')],
    ['the second given once more', (net) => net.order.given(1, 'b')],
    ['links that break their promises', (net) => net.order.release()],
  ])('is not expected after %s', (_, happens) => {
    const net = new Network()
    net.give(1, 'a', 'b')
    happens(net)
    net.commit(0n, 'b', 'a')
    expect(net.end()).toEqual([])
  })

  it('is not expected when the engines say only afterwards that another leads', () => {
    const net = new Network()
    net.give(1, 'a', 'b')
    net.commit(0n, 'b', 'a')
    net.state(0n, 4, 'vp1')
    expect(net.end()).toEqual([])
  })

  it.each<[string, (net: Network) => void]>([
    ['another member crashes', (net) => net.order.shaken(2)],
    [
      'the door transfers to its own head',
      (net) => net.order.transferred(1, { reached: true, head: { height: 1n, hash: new Uint8Array(), blob: new Uint8Array() }, metadata: undefined }),
    ],
    ['an engine on trial says something', (net) => net.order.stated(1, 1n, { term: 9, leader: 'vp2' })],
  ])('is expected although %s', (_, happens) => {
    const net = new Network()
    net.give(1, 'a', 'b')
    happens(net)
    net.commit(0n, 'b', 'a')
    expect(net.end()).toHaveLength(1)
  })

  it('is expected of an engine that bears no fault without a word of it, as long as nothing happens to anybody', () => {
    const outcomes = [() => undefined, (net: Network) => net.order.shaken(2)].map((happens) => {
      const net = new Network(BEARS_NOTHING)
      net.give(1, 'a', 'b')
      happens(net)
      net.commit(0n, 'b', 'a')
      return net.end().length
    })
    expect(outcomes).toEqual([1, 0])
  })

  it('is not expected of an engine that may change its leader and does not say who it is', () => {
    const net = new Network()
    net.begin(1n)
    net.give(1, 'a', 'b')
    net.commit(1n, 'b', 'a')
    expect(net.end()).toEqual([])
  })

  it.each(['host', 'logical'] as const)('is looked at in most of a run without faults, and in runs with some: %s', async (fidelity) => {
    for (const factory of [pbft, raftSkeleton]) {
      let calm = 0
      let shaken = 0
      for (let seed = 1; seed <= 8; seed += 1) {
        const plan = { seed, members: 4, tolerates: { crashed: 1, byzantine: 0 }, fidelity, requests: 30 }
        calm += (await playScenario({ factory }, planScenario({ ...plan, faults: [] }))).ordered
        shaken += (await playScenario({ factory }, planScenario({ ...plan, faults: faultKinds('inside') }))).ordered
      }
      expect(calm).toBeGreaterThan(8 * 15)
      expect(shaken).toBeGreaterThan(8 * 3)
      expect(shaken).toBeLessThan(calm)
    }
  })
})
