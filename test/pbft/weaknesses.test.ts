import { describe, expect, it } from 'vitest'
import { encode, pbft } from '../../proto/index.js'
import { NOTHING, toBase64, toEngineRequest } from '../../plugins/pbft/messages.js'
import { advance } from '../../plugins/pbft/execution.js'
import { begin } from '../../plugins/pbft/engine.js'
import { quorumsOf } from '../../plugins/pbft/options.js'
import { startTransfer } from '../../plugins/pbft/transfer.js'
import { leaveView } from '../../plugins/pbft/view-change.js'
import { type Asked, Bench, headNamed } from './kit/bench.js'
import { announce, batchOf, checkpoint, idOf, kinds, newView, order, prePrepare, requestOf, sent, viewChange, viewChangeOf, vote } from './kit/say.js'
import { makeTransaction } from '../kit/index.js'

const engineRequest = (name: string) => {
  const request = toEngineRequest(makeTransaction(name))
  if (!request) throw new TypeError('expected a transaction')
  return request
}
const backup = (options: Partial<ConstructorParameters<typeof Bench>[0]> = {}) => new Bench({ self: 1, ...options }).begin()
const primary = (options: Record<string, unknown> = {}) => new Bench({ self: 0, options: { batching: 'fixed', batchsize: 1, ...options } }).begin()
const genesisVset = (view: number, ...from: number[]) => from.map((replica) => viewChangeOf(view, replica))

/** Each of these fails on the original: docs/spec/consensus.md §15. */
describe('authentication and membership', () => {
  it('W2: a message counts only from the replica that it names', () => {
    const bench = backup()
    bench.message(2, vote('commit', 1, 'd', 3))
    bench.message(2, vote('commit', 1, 'd', 77))
    expect(bench.replica.slots.size).toBe(0)
  })
  it('W4: a replica whose name is not its number does not start', () => {
    const members = ['vp1', 'vp0', 'vp2', 'vp3'].map((id, index) => ({ index, id }))
    expect(() => quorumsOf({}, members)).toThrow(/vp1 is validator 0, .* expected vp0/)
  })
  it('W6: with security off the view change is sent without a signature', () => {
    const bench = backup({ sign: (bytes) => bytes })
    const [message] = sent(bench.fire('newView'))
    expect(message?.$case === 'viewChange' && message.value.signature).toEqual(NOTHING)
  })
})

describe('safety and validity', () => {
  it('W7: a new view that holds one view change three times is refused', () => {
    const bench = backup({ self: 3 })
    bench.fire('newView')
    const asked = bench.message(1, newView(1, [viewChangeOf(1, 0), viewChangeOf(1, 0), viewChangeOf(1, 0)], [[1, '']]))
    expect(kinds(asked)).toEqual(['viewChange'])
    expect(bench.replica).toMatchObject({ view: 2, isActive: false })
  })
  it('W7: view changes for higher views are let in, as originals send them, if the outcome does not hang on them', () => {
    const bench = backup({ self: 3 })
    bench.fire('newView')
    bench.message(1, newView(1, [...genesisVset(1, 0, 1, 2), viewChangeOf(2, 3)], [[1, '']]))
    expect(bench.replica).toMatchObject({ view: 1, isActive: true })
  })
  it('W8: a view change that names a checkpoint twice is not kept', () => {
    const bench = backup({ self: 2 })
    bench.message(0, viewChange(1, 0))
    const twice = { sequenceNumber: 0, id: idOf('forged') }
    const asked = bench.message(3, viewChange(1, 3, { cset: [twice, twice] }))
    expect(kinds(asked)).toEqual([])
    expect(bench.replica.view).toBe(0)
  })
  it('W11: commits for another digest do not decide', () => {
    const bench = backup()
    const batch = batchOf('a')
    bench.message(0, prePrepare(1, batch))
    for (const from of [2, 3]) bench.message(from, vote('prepare', 1, batch.digest, from))
    const asked = [0, 2].flatMap((from) => bench.message(from, vote('commit', 1, 'another', from)))
    expect(asked.filter(({ op }) => op === 'deliver')).toEqual([])
    expect(bench.message(2, vote('commit', 1, batch.digest, 2))).toEqual([])
    expect(bench.message(3, vote('commit', 1, batch.digest, 3)).map(({ op }) => op)).toEqual(['deliver'])
  })
  it('W13: a real proposal does not replace a null request of the same number', () => {
    const bench = backup()
    bench.message(0, prePrepare(1, undefined))
    expect(kinds(bench.message(0, prePrepare(1, batchOf('a'))))).toEqual(['viewChange'])
  })
  it('W18: a request that comes twice is queued once', () => {
    const bench = primary({ batchsize: 2 })
    bench.message(1, announce('a'))
    expect(kinds(bench.message(2, announce('a', 2)))).toEqual([])
    const [message] = sent(bench.message(1, announce('b')))
    expect(message?.$case === 'prePrepare' && message.value.requestBatch?.batch.map(({ payload }) => Buffer.from(payload))).toEqual([
      Buffer.from(makeTransaction('a')),
      Buffer.from(makeTransaction('b')),
    ])
  })
  it('W18: a batch with an executed request gets no vote, and is executed if the others commit it', () => {
    const bench = backup()
    order(bench, 1, batchOf('a'))
    const again = batchOf('a', 'b')
    expect(kinds(bench.message(0, prePrepare(2, again)))).toEqual([])
    for (const from of [2, 3]) bench.message(from, vote('prepare', 2, again.digest, from))
    const asked = [0, 2, 3].flatMap((from) => bench.message(from, vote('commit', 2, again.digest, from)))
    expect(asked.filter(({ op }) => op === 'deliver')).toHaveLength(1)
  })
  it('W18: what the chain holds is remembered over restarts and state transfers', () => {
    const known = engineRequest('old').id
    const restarted = new Bench({ self: 0, options: { batching: 'fixed', batchsize: 1 }, executed: [known] }).begin()
    expect(kinds(restarted.message(1, announce('old')))).toEqual([])
    const bench = primary()
    bench.run(() => startTransfer(bench.replica, { n: 10, id: headNamed('ten').blob, members: [1, 2] }))
    bench.transferred(headNamed('ten', 11n), [known])
    expect(kinds(bench.message(1, announce('old')))).toEqual([])
    expect(kinds(bench.message(1, announce('new')))).toEqual(['prePrepare'])
  })
  it('W18: nothing is proposed while the state is being transferred', () => {
    const bench = primary()
    bench.run(() => startTransfer(bench.replica, { n: 10, id: headNamed('ten').blob, members: [1, 2] }))
    expect(kinds(bench.message(1, announce('a')))).toEqual([])
    expect(kinds(bench.transferred(headNamed('ten', 11n)))).toEqual(['checkpoint', 'prePrepare'])
  })
  it('a rejected request may be ordered again: it is in no block, so nobody could remember it', () => {
    const bench = primary()
    const { digest } = batchOf('a')
    bench.message(1, announce('a'))
    for (const from of [1, 2]) bench.message(from, vote('prepare', 1, digest, from))
    for (const from of [1, 2]) bench.message(from, vote('commit', 1, digest, from))
    bench.delivered('1', headNamed('head 1', 2n), [engineRequest('a').id])
    expect(kinds(bench.message(1, announce('a')))).toEqual(['prePrepare'])
  })
  it('W24: a batch that nobody announced is not proposed', () => {
    const bench = primary()
    expect(bench.message(2, pbft.encodePayload({ $case: 'requestBatch', value: batchOf('a').message }))).toEqual([])
  })
  it('W42: an empty batch gets no vote, and makes an empty block if the others commit it', () => {
    const bench = backup()
    const empty = batchOf()
    expect(kinds(bench.message(0, prePrepare(1, empty)))).toEqual([])
    for (const from of [2, 3]) bench.message(from, vote('prepare', 1, empty.digest, from))
    const asked = [0, 2, 3].flatMap((from) => bench.message(from, vote('commit', 1, empty.digest, from)))
    expect(asked.find(({ op }) => op === 'deliver')).toMatchObject({ tag: '1', requests: [] })
  })
})

describe('liveness', () => {
  it('W10: batches that a new view needs are asked for again, and those of an earlier one are forgotten', () => {
    const bench = backup({ self: 3 })
    const batch = batchOf('a')
    const entry = { sequenceNumber: 1, batchDigest: batch.digest, view: 0 }
    const prepared = [0, 1, 2].map((replica) => viewChangeOf(1, replica, { pset: [entry], qset: [entry] }))
    bench.fire('newView')
    expect(kinds(bench.message(1, newView(1, prepared, [[1, batch.digest]])))).toEqual(['fetchRequestBatch'])
    bench.fire('tick')
    expect(kinds(bench.fire('tick'))).toContain('fetchRequestBatch')
    leaveView(bench.replica, 2)
    bench.message(2, newView(2, genesisVset(2, 0, 1, 2), [[1, '']]))
    expect(bench.replica).toMatchObject({ view: 2, isActive: true, missing: new Set() })
  })
  it('W12: a single validator completes its view change', () => {
    const bench = new Bench({ self: 0, size: 1, options: { batching: 'fixed', batchsize: 1 } }).begin()
    bench.run(() => bench.engine.onRequest(engineRequest('a')))
    bench.fire('newView')
    expect(bench.replica).toMatchObject({ view: 1, isActive: true })
  })
  it('W14: the view outlives a restart, also one that is not entered yet, and its votes are kept to', () => {
    const bench = backup()
    bench.fire('newView')
    const restarted = new Bench({ self: 1, restored: bench.records }).begin()
    expect(restarted.replica).toMatchObject({ view: 1, isActive: false })
    expect(kinds(restarted.message(0, prePrepare(1, batchOf('a'))))).toEqual([])
  })
  it('W14: after a restart a second proposal for a number that was prepared gets no vote', () => {
    const bench = backup()
    bench.message(0, prePrepare(1, batchOf('a')))
    const restarted = new Bench({ self: 1, restored: bench.records }).begin()
    expect(kinds(restarted.message(0, prePrepare(1, batchOf('b'))))).toEqual(['viewChange'])
  })
  it('W14: a later view that f + 1 members are in is entered by its new view', () => {
    const bench = backup({ self: 3 })
    bench.message(2, vote('prepare', 1, '', 2, 1))
    bench.message(0, vote('prepare', 1, '', 0, 1))
    expect(kinds(bench.message(1, newView(1, genesisVset(1, 0, 1, 2), [[1, '']])))).toContain('prepare')
    expect(bench.replica).toMatchObject({ view: 1, isActive: true })
  })
  it('W14: commits of a view that this replica is not in decide too, and their batch is fetched', () => {
    const bench = backup({ self: 3 })
    const batch = batchOf('a')
    for (const from of [0, 1, 2]) bench.message(from, vote('commit', 1, batch.digest, from, 5))
    expect(sent(bench.fire('fetch'))).toMatchObject([{ $case: 'fetchRequestBatch', value: { batchDigest: batch.digest } }])
    const asked = bench.message(0, pbft.encodePayload({ $case: 'returnRequestBatch', value: batch.message }))
    expect(asked.map(({ op }) => op)).toEqual(['deliver'])
    expect(bench.replica.view).toBe(0)
  })
  it('W14, W36: a replica alone in a later view executes what the others decide in theirs, without fetching anything', () => {
    const bench = backup({ self: 3 })
    bench.fire('newView')
    const batch = batchOf('a')
    bench.message(0, prePrepare(1, batch))
    const asked = [0, 1, 2].flatMap((from) => bench.message(from, vote('commit', 1, batch.digest, from)))
    expect(asked.map(({ op }) => op)).toEqual(['deliver'])
    expect(bench.replica).toMatchObject({ view: 1, isActive: false })
  })
  it('W34, W36: who asks for help is told the state between checkpoints, and takes it if f + 1 agree on it', () => {
    const helper = backup()
    order(helper, 1, batchOf('a'))
    helper.message(3, checkpoint(0, 'GENESIS', 3))
    helper.nowMs += 1000
    const said = sent(helper.message(3, checkpoint(0, 'GENESIS', 3))).find(({ $case }) => $case === 'checkpoint')
    expect(said).toMatchObject({ value: { sequenceNumber: 1, id: toBase64(headNamed('head 1', 2n).blob) } })
    const left = backup({ self: 3 })
    left.fire('newView')
    left.message(1, checkpoint(1, 'head 1', 1))
    expect(
      left
        .fire('tick')
        .concat(left.fire('tick'))
        .filter(({ op }) => op === 'transfer'),
    ).toEqual([])
    left.message(2, checkpoint(1, 'head 1', 2))
    const asked = left.fire('tick').concat(left.fire('tick'))
    expect(asked.find(({ op }) => op === 'transfer')).toMatchObject({ target: { hash: new Uint8Array(headNamed('head 1').hash), members: [1, 2] } })
  })
  it('a restart keeps the votes for numbers that are executed: those who are behind may need them', () => {
    const bench = backup({ options: { K: 2 } })
    for (const [n, name] of [
      [1, 'a'],
      [2, 'b'],
    ] as const)
      order(bench, n, batchOf(name))
    const restarted = new Bench({ self: 1, options: { K: 2 }, restored: bench.records, metadata: encode(pbft.Metadata, { seqNo: 2 }) }).begin()
    expect(restarted.replica).toMatchObject({ lastExec: 2, h: 0 })
    restarted.message(3, checkpoint(0, 'GENESIS', 3))
    restarted.nowMs += 1000
    expect(kinds(restarted.message(3, checkpoint(0, 'GENESIS', 3)))).toEqual(['checkpoint', 'commit', 'commit'])
  })
  it('members that went on to later views count for leaving a view in its turn', () => {
    const bench = backup({ self: 0 })
    bench.fire('newView')
    bench.message(2, viewChange(1, 2))
    bench.message(3, viewChange(2, 3))
    expect(kinds(bench.fire('newView'))).toEqual(['viewChange'])
    expect(bench.replica).toMatchObject({ view: 2, isActive: false })
  })
  it('a state between checkpoints takes no checkpoint away that a new view could begin from', () => {
    const bench = backup({ options: { K: 2 } })
    order(bench, 1, batchOf('a'))
    order(bench, 2, batchOf('b'))
    bench.run(() => startTransfer(bench.replica, { n: 5, id: headNamed('five', 6n).blob, members: [2, 3] }))
    bench.transferred(headNamed('five', 6n))
    expect(bench.replica).toMatchObject({ lastExec: 5, h: 0 })
    const [message] = sent(bench.fire('newView'))
    expect(message?.$case === 'viewChange' && message.value.cset.map(({ sequenceNumber }) => sequenceNumber)).toEqual([0, 2])
  })
  it('who transfers the state goes to a checkpoint first, and between checkpoints only from there: it has one to begin a view from', () => {
    const bench = new Bench({ self: 3, options: { K: 2, logmultiplier: 2 } }).begin()
    const targets = (asked: readonly Asked[]): unknown[] =>
      asked.flatMap((effect) => (effect.op === 'transfer' ? Buffer.from(effect.target.hash).toString() : []))
    const say = (n: number, name: string): Asked[] => [1, 2].flatMap((from) => bench.message(from, checkpoint(n, name, from)))
    // Of these two only the first says where it may begin again.
    say(8, 'eight')
    say(9, 'nine')
    expect(targets([...bench.fire('tick'), ...bench.fire('tick')])).toEqual(['eight'])
    bench.transferred(headNamed('eight', 9n))
    say(8, 'eight')
    say(9, 'nine')
    expect(targets([...bench.fire('tick'), ...bench.fire('tick')])).toEqual(['nine'])
    bench.transferred(headNamed('nine', 10n))
    expect(bench.replica).toMatchObject({ lastExec: 9, h: 8 })
    const [message] = sent(bench.fire('newView'))
    expect(message?.$case === 'viewChange' && message.value.cset).toEqual([{ sequenceNumber: 8, id: idOf('eight') }])
  })
  it('a state between checkpoints beyond the window alone is no reason to give up the own checkpoint', () => {
    const bench = new Bench({ self: 3, options: { K: 2, logmultiplier: 2 } }).begin()
    for (const from of [1, 2]) bench.message(from, checkpoint(9, 'nine', from))
    expect(bench.replica).toMatchObject({ h: 0, isOutOfDate: false })
    expect([...bench.replica.checkpoints.keys()]).toEqual([0])
  })
  it('W22: what is decided beyond a gap keeps the timer running: a primary that left a number out is left in its turn', () => {
    const bench = backup()
    for (const n of [2, 3]) {
      const batch = batchOf(`batch ${n}`)
      bench.message(0, prePrepare(n, batch))
      for (const from of [2, 3]) bench.message(from, vote('prepare', n, batch.digest, from))
      for (const from of [0, 2, 3]) bench.message(from, vote('commit', n, batch.digest, from))
    }
    expect(bench.timers.has('newView')).toBe(true)
    expect([1, 2, 3].map(() => kinds(bench.fire('newView')).includes('viewChange'))).toEqual([false, false, true])
  })
  it('after a restart the primary goes on after the numbers of its view, whatever an earlier one proposed', () => {
    const options = { batching: 'fixed', batchsize: 1 }
    const bench = backup({ options })
    for (const [n, name] of ['a', 'b'].entries()) bench.message(0, prePrepare(n + 1, batchOf(name)))
    bench.fire('newView')
    for (const from of [2, 3]) bench.message(from, viewChange(1, from))
    expect(bench.replica).toMatchObject({ view: 1, isActive: true, seqNo: 1 })
    const restarted = new Bench({ self: 1, options, restored: bench.records }).begin()
    expect(restarted.replica).toMatchObject({ view: 1, isActive: true })
    const [proposal] = sent(restarted.message(2, announce('c')))
    expect(proposal).toMatchObject({ $case: 'prePrepare', value: { view: 1, sequenceNumber: 2 } })
  })
  it('W15: after a state transfer the primary proposes above it', () => {
    const bench = primary()
    bench.run(() => startTransfer(bench.replica, { n: 10, id: headNamed('ten').blob, members: [1, 2] }))
    bench.transferred(headNamed('ten', 11n))
    expect(sent(bench.message(1, announce('a')))).toMatchObject([{ $case: 'prePrepare', value: { sequenceNumber: 11 } }])
  })
  it('W16: the position after null requests outlives a restart', () => {
    const bench = backup()
    bench.message(0, prePrepare(1, undefined))
    for (const from of [2, 3]) bench.message(from, vote('prepare', 1, '', from))
    for (const from of [0, 2, 3]) bench.message(from, vote('commit', 1, '', from))
    expect(bench.replica.lastExec).toBe(1)
    expect(new Bench({ self: 1, restored: bench.records }).replica.lastExec).toBe(1)
    expect(new Bench({ self: 1, restored: bench.records, head: headNamed('another', 7n) }).replica.lastExec).toBe(0)
  })
  it('W17: a request that waits keeps the timer running, whatever else is pending', () => {
    const bench = backup()
    bench.message(2, announce('waits', 2))
    order(bench, 1, batchOf('other'))
    expect(bench.timers.has('newView')).toBe(true)
  })
  it('W19: an own announcement has the time at which its host accepted it, whatever the clock says, and the same after a restart', () => {
    const told = { ...engineRequest('a'), acceptedAt: 1_469_000_000_123_456 }
    const announced = (bench: Bench): pbft.Incoming | undefined => {
      bench.nowMs -= 5000
      return sent(bench.run(() => bench.engine.onRequest(told))).find(({ $case }) => $case === 'request')
    }
    const bench = primary()
    const first = announced(bench)
    expect(first).toMatchObject({ value: { timestamp: { seconds: 1_469_000_000n, nanos: 123_456_000 } } })
    expect(announced(new Bench({ self: 0, restored: bench.records }).begin())).toEqual(first)
  })
  describe('with originals among the others', () => {
    const mixed = (self: number): Bench => new Bench({ self, hasOriginals: true }).begin()
    const asked = (effects: ReturnType<Bench['take']>): unknown[] =>
      effects.flatMap((effect) => (effect.op === 'send' || effect.op === 'broadcast' ? [effect] : []))

    it('W18: the primary is not told a request again that it may have, as it would order it twice', () => {
      const bench = mixed(1)
      bench.run(() => bench.engine.onRequest(engineRequest('a')))
      bench.nowMs += 10
      for (const member of [0, 2]) bench.run(() => bench.engine.onPeer(member, false))
      const requestsTo = (member: number): string[] => kinds(bench.run(() => bench.engine.onPeer(member, true))).filter((kind) => kind === 'request')
      expect([requestsTo(0), requestsTo(2)]).toEqual([[], ['request']])
      bench.nowMs += 60_000
      const stale = [1, 2, 3].flatMap(() => asked(bench.run(() => bench.engine.onTimer('tick'))))
      const told = stale.flatMap((effect) => (typeof effect === 'object' && effect !== null && 'to' in effect ? [effect.to] : []))
      expect(new Set(told)).toEqual(new Set([2, 3]))
    })

    it('W38: what the journal held is announced before what came after it, and not while the others are known to be further', () => {
      const bench = new Bench({ self: 1, hasOriginals: true })
      bench.run(() => begin(bench.replica))
      bench.run(() => bench.engine.onRequest({ ...engineRequest('old'), acceptedAt: 1 }))
      bench.transferred()
      expect(kinds(bench.run(() => bench.engine.onRequest({ ...engineRequest('new'), acceptedAt: 2 })))).not.toContain('request')
      for (const from of [0, 2, 3]) bench.message(from, vote('commit', 2, 'decided beyond a gap', from))
      expect(kinds(bench.run(() => bench.engine.onTimer('announce')))).not.toContain('request')
      bench.replica.slots.clear()
      const announced = sent(bench.run(() => bench.engine.onTimer('announce'))).flatMap((message) =>
        message.$case === 'request' ? [message.value.timestamp?.nanos] : [],
      )
      expect(announced).toEqual([1000, 2000])
    })
  })
  it('W20: a request that holds no transaction is not stored', () => {
    const bench = backup()
    bench.message(2, pbft.encodeRequest({ ...requestOf('x', 2), payload: Buffer.from('ffff', 'hex') }))
    expect([...bench.replica.book.all()]).toEqual([])
    expect(bench.timers.has('newView')).toBe(false)
  })
  it('W22: a primary that passes one request over is left, however busy it is with others', () => {
    const bench = backup()
    bench.message(2, announce('censored', 2))
    let asked: string[] = []
    for (let n = 1; n <= 6; n++) {
      bench.nowMs += 1000
      bench.message(3, announce(`favoured ${n}`, 3))
      asked = [...asked, ...kinds(order(bench, n, batchOf(`favoured ${n}`)))]
    }
    expect(asked).toContain('viewChange')
  })
  it('W26: what is not decided is said again when a link comes up and when nothing moves', () => {
    const bench = backup()
    const batch = batchOf('a')
    bench.message(0, prePrepare(1, batch))
    expect(kinds(bench.run(() => bench.engine.onPeer(2, true)))).toContain('prepare')
    bench.fire('tick')
    expect(kinds(bench.fire('tick'))).toEqual(['checkpoint', 'prepare'])
  })
  it('W34: a checkpoint that is said again is answered with the commits for later numbers', () => {
    const bench = backup()
    order(bench, 1, batchOf('a'))
    bench.message(3, checkpoint(0, 'GENESIS', 3))
    bench.nowMs += 1000
    expect(sent(bench.message(3, checkpoint(0, 'GENESIS', 3)))).toMatchObject([
      { $case: 'checkpoint', value: { sequenceNumber: 1 } },
      { $case: 'commit', value: { sequenceNumber: 1 } },
    ])
  })
  it('W34: the checkpoints that reveal that a replica is behind are a target, and are followed when nothing else comes', () => {
    const bench = new Bench({ self: 3, options: { K: 2, logmultiplier: 2 } }).begin()
    for (const from of [0, 1]) bench.message(from, checkpoint(6, 'six', from))
    bench.fire('tick')
    expect(bench.fire('tick')).toContainEqual({ op: 'transfer', target: { height: 1n, hash: headNamed('six').hash, members: [0, 1] } })
  })
  it('W34: a replica that is behind within its window transfers the state when nothing moves', () => {
    const bench = new Bench({ self: 3, options: { K: 2, logmultiplier: 4 } }).begin()
    for (const from of [0, 1]) bench.message(from, checkpoint(4, 'four', from))
    bench.fire('tick')
    expect(bench.fire('tick').map(({ op }) => op)).toEqual(['valid', 'transfer'])
  })
  it('a primary that cuts at once waits between batches for a member that has not executed half of the window', () => {
    const bench = new Bench({ self: 0, options: { K: 2, logmultiplier: 4 } }).begin()
    const waits: (number | undefined)[] = []
    for (let n = 1; n <= 6; n++) {
      bench.run(() => bench.engine.onRequest(engineRequest(`r${n}`)))
      waits.push(bench.timers.get('batch'))
      bench.fire('batch')
      const digest = bench.replica.slots.get(n)?.proposal ?? ''
      for (const from of [1, 2]) bench.message(from, vote('prepare', n, digest, from))
      for (const from of [1, 2]) bench.message(from, vote('commit', n, digest, from))
      bench.delivered(String(n))
      // The third one says nothing: it is slow, or lies.
      if (n % 2 === 0) for (const from of [1, 2]) bench.message(from, checkpoint(n, `head ${n}`, from, BigInt(n) + 1n))
    }
    expect({ waits, executed: bench.replica.lastExec }).toEqual({ waits: [0, 0, 0, 0, 0, 50], executed: 6 })
    bench.run(() => bench.engine.onPeer(3, false))
    bench.nowMs += 10
    bench.run(() => bench.engine.onRequest(engineRequest('r7')))
    expect(bench.timers.get('batch')).toBe(0)
  })
  it('W36: nobody leaves a view alone while a view change cannot succeed, or because of being behind', () => {
    const alone = backup()
    for (const member of [0, 2]) alone.run(() => alone.engine.onPeer(member, false))
    expect(kinds(alone.fire('newView'))).toEqual([])
    const behind = backup()
    for (const from of [0, 2, 3]) behind.message(from, vote('commit', 2, 'd', from))
    expect(kinds(behind.fire('newView'))).toEqual([])
    expect(behind.timers.has('newView')).toBe(true)
  })
  it('W37: the time for a new view is doubled once for each view', () => {
    const bench = backup({ self: 3, size: 7 })
    bench.fire('newView')
    for (const from of [0, 1, 2, 4, 5, 6]) bench.message(from, viewChange(1, from))
    expect(bench.replica.newViewMs).toBe(4000)
  })
  it('W38: a state transfer drops the requests that are in its blocks, and no others', () => {
    const bench = backup()
    bench.message(2, announce('done', 2))
    bench.message(2, announce('open', 2))
    bench.run(() => startTransfer(bench.replica, { n: 10, id: headNamed('ten').blob, members: [0, 2] }))
    bench.transferred(headNamed('ten', 11n), [engineRequest('done').id])
    expect([...bench.replica.book.all()].map(({ content }) => content.request)).toEqual([requestOf('open', 2)])
  })
  it('W38: an own request that no block of a transfer holds is announced again, the same: the others may have executed and rejected it', () => {
    const bench = backup()
    const request = engineRequest('a')
    const [announced] = sent(bench.run(() => bench.engine.onRequest(request)))
    bench.run(() => startTransfer(bench.replica, { n: 10, id: headNamed('ten').blob, members: [0, 2] }))
    bench.transferred(headNamed('ten', 11n))
    expect(kinds(bench.run(() => bench.engine.onRequest(request)))).toEqual([])
    bench.fire('tick')
    expect(sent(bench.fire('tick'))).toContainEqual(announced)
  })
  it('W39: while a view change is under way the request timer stays off', () => {
    const bench = backup()
    bench.fire('newView')
    bench.message(2, announce('a', 2))
    bench.run(() => advance(bench.replica))
    expect(bench.timers.has('newView')).toBe(false)
  })
  it('W40: a proposal for the view that is being entered is kept', () => {
    const bench = backup({ self: 3 })
    bench.fire('newView')
    const batch = batchOf('a')
    bench.message(1, prePrepare(2, batch, { view: 1 }))
    const asked = sent(bench.message(1, newView(1, genesisVset(1, 0, 1, 2), [[1, '']])))
    expect(asked).toContainEqual({ $case: 'prepare', value: { view: 1, sequenceNumber: 2, batchDigest: batch.digest, replicaId: 3 } })
  })
})
