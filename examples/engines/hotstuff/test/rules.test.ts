import { type Engine, type EngineRequest, requestId } from 'weft/consensus'
import { describe, expect, it } from 'vitest'
import { type Block, blockId, type Certificate, GENESIS } from '../src/block.js'
import { hotstuff } from '../src/index.js'
import { encode } from '../src/messages.js'
import { DOMAIN, FakeHost, HEAD } from './fake-host.js'

const OPTIONS = hotstuff.parseOptions(undefined)
const SIGNATURE = Buffer.from('signature')

const request = (text: string): EngineRequest => ({ id: requestId(Buffer.from(text)), bytes: Buffer.from(text) })
const certify = ({ view, seq, id }: Block, voters = [0, 1, 2]): Certificate => ({
  view,
  seq,
  id,
  signatures: voters.map((member) => ({ member, signature: SIGNATURE })),
})

function block(view: number, seq: number, parent: Certificate, ...requests: string[]): Block {
  const content = { view, seq, parent, requests: requests.map(request) }
  return { ...content, id: blockId(DOMAIN, content) }
}

/** A follower, to whom others speak. */
class Follower {
  engine: Engine
  constructor(readonly host = new FakeHost(3)) {
    this.engine = hotstuff.create(host, OPTIONS, host.start())
  }

  /** Signatures hold, unless `holds` says otherwise. */
  propose(from: number, proposal: Block, holds = true): void {
    const before = this.host.verified.length
    this.engine.onMessage?.(from, encode({ type: 'proposal', block: proposal }))
    for (const { token, items } of this.host.verified.slice(before))
      this.engine.onVerified?.(
        token,
        Array.from({ length: items }, () => holds),
      )
  }

  wish(from: number, view: number): void {
    this.engine.onMessage?.(from, encode({ type: 'status', wish: view, high: GENESIS, isAnswer: false }))
  }

  restart(): Follower {
    return new Follower(this.host)
  }
}

const first = block(0, 1, GENESIS, 'a')
const second = block(0, 2, certify(first))
const third = block(0, 3, certify(second), 'b')

describe('a member', () => {
  it('votes for a proposal of the leader alone', () => {
    const follower = new Follower()
    follower.propose(1, first)
    expect(follower.host.signed).toEqual([])
    follower.propose(0, first)
    expect(follower.host.signed).toEqual([first.id])
  })

  it('votes once for a rank, also after a restart', () => {
    const follower = new Follower()
    follower.propose(0, first)
    const again = follower.restart()
    again.propose(0, block(0, 1, GENESIS, 'other'))
    expect(follower.host.signed).toEqual([first.id])
  })

  it('says a vote again that may be lost', () => {
    const follower = new Follower()
    follower.propose(0, first)
    follower.restart().propose(0, first)
    expect(follower.host.signed).toEqual([first.id, first.id])
  })

  it('has stored its vote, the lock and the block when it signs', () => {
    const follower = new Follower()
    follower.propose(0, first)
    expect([...follower.host.records.keys()].sort()).toEqual([`block ${first.id}`, 'state'])
  })

  it('does not vote for what carries a certificate below its lock, and tells the leader of it, also after a restart', () => {
    const follower = new Follower()
    for (const proposal of [first, second, third]) follower.propose(0, proposal)
    const again = follower.restart()
    for (const member of [0, 1, 2]) again.wish(member, 1)
    follower.host.sent.length = 0
    again.propose(1, block(1, 1, certify(first), 'x'))
    expect(follower.host.signed).toEqual([first.id, second.id, third.id])
    expect(follower.host.sent).toContainEqual({ to: 1, message: expect.objectContaining({ type: 'status', high: certify(second) }) })
  })

  it('does not vote on a certificate whose signatures do not hold', () => {
    const follower = new Follower()
    follower.propose(0, first)
    follower.propose(0, second, false)
    expect(follower.host.signed).toEqual([first.id])
  })

  it.each([
    ['too few members', [0, 1]],
    ['a member twice', [0, 1, 1]],
    ['members that there are not', [0, 1, 7]],
  ])('does not look at a certificate of %s', (_, voters) => {
    const follower = new Follower()
    follower.propose(0, first)
    follower.propose(0, block(0, 2, certify(first, voters)))
    expect(follower.host.verified).toEqual([])
    expect(follower.host.signed).toEqual([first.id])
  })

  it('does not vote for a request twice in the chain, nor twice in a block', () => {
    const follower = new Follower()
    follower.propose(0, first)
    follower.propose(0, block(0, 2, certify(first), 'a'))
    follower.propose(0, block(0, 3, certify(first), 'b', 'b'))
    expect(follower.host.signed).toEqual([first.id])
  })

  it('does not vote for empty blocks without end', () => {
    const follower = new Follower()
    follower.propose(0, block(0, 1, GENESIS))
    expect(follower.host.signed).toEqual([])
  })

  it('delivers what two certificates in a row decide, and nothing before', () => {
    const follower = new Follower()
    follower.propose(0, first)
    follower.propose(0, second)
    expect(follower.host.delivered).toEqual([])
    follower.propose(0, third)
    expect(follower.host.delivered.map(({ tag }) => tag)).toEqual([first.id])
  })

  it('decides nothing across a gap of ranks', () => {
    const follower = new Follower()
    follower.propose(0, first)
    const afterGap = block(0, 3, certify(first))
    follower.propose(0, afterGap)
    follower.propose(0, block(0, 4, certify(afterGap), 'b'))
    expect(follower.host.delivered).toEqual([])
  })

  it('delivers nothing once it is sealed, and votes on', () => {
    const follower = new Follower()
    follower.engine.onSealed?.(HEAD.height)
    for (const proposal of [first, second, third]) follower.propose(0, proposal)
    expect(follower.host.delivered).toEqual([])
    expect(follower.host.signed).toEqual([first.id, second.id, third.id])
  })

  it('is convinced of a view by f + 1 members, enters it with a quorum, and remembers its wish', () => {
    const follower = new Follower()
    follower.wish(0, 1)
    expect(follower.host.records.has('wish')).toBe(false)
    follower.wish(1, 1)
    expect(follower.host.sent.filter(({ to, message }) => to === 'all' && message.type === 'status' && message.wish === 1)).toHaveLength(1)
    expect(follower.host.records.has('wish')).toBe(true)
    follower.propose(1, block(1, 1, GENESIS, 'a'))
    expect(follower.host.signed).toHaveLength(1)
  })

  it('gives blocks to who asks again and again so often as anybody may need them', () => {
    const follower = new Follower()
    const large = block(0, 1, GENESIS, 'x'.repeat(4 * 1024 * 1024))
    follower.propose(0, large)
    const ask = (times: number): number => {
      const before = follower.host.sent.length
      for (let asked = 0; asked < times; asked += 1) {
        follower.host.now += 25
        follower.engine.onMessage?.(2, encode({ type: 'fetch', id: large.id, above: GENESIS }))
      }
      return follower.host.sent.slice(before).filter(({ to, message }) => to === 2 && message.type === 'blocks').length
    }
    // Half a second: 16 MiB at once, and 4 MiB more.
    expect(ask(20)).toBeLessThanOrEqual(6)
    // Ten seconds, with 8 MiB each.
    expect(ask(400)).toBeLessThanOrEqual(21)
  })

  it('asks for a certified block that it does not have, takes it from anybody, and nothing else', () => {
    const follower = new Follower()
    follower.propose(0, second)
    expect(follower.host.sent.map(({ to, message }) => [to, message.type])).toContainEqual([0, 'fetch'])
    follower.engine.onMessage?.(2, encode({ type: 'blocks', blocks: [block(0, 1, GENESIS, 'false')] }))
    expect(follower.host.signed).toEqual([])
    follower.engine.onMessage?.(2, encode({ type: 'blocks', blocks: [first] }))
    expect(follower.host.signed).toEqual([second.id])
  })
})
