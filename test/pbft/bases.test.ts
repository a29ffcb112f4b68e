import { describe, expect, it } from 'vitest'
import { encode, pbft } from '../../proto/index.js'
import { startTransfer } from '../../plugins/pbft/transfer.js'
import { type Asked, Bench, headNamed } from './kit/bench.js'
import { batchOf, checkpoint, idOf, kinds, newView, order, prePrepare, sent, viewChange, viewChangeOf } from './kit/say.js'

const backup = (options: Partial<ConstructorParameters<typeof Bench>[0]> = {}) => new Bench({ self: 3, ...options }).begin()

/** What a view begins from when liars, or members that lost their disks, have forgotten what they helped to decide. */
describe('bases of views', () => {
  /** Replica 3 has executed two numbers, and enters view 1 from the checkpoint after them, which only one other vouches for. */
  const fromWeakBase = (): Bench => {
    const bench = backup({ options: { K: 2 } })
    for (const [index, name] of ['a', 'b'].entries()) order(bench, index + 1, batchOf(name), [1, 2])
    const [own] = sent(bench.fire('newView'))
    if (own?.$case !== 'viewChange') throw new TypeError('expected a view change')
    const liar = viewChangeOf(1, 0, { cset: own.value.cset })
    bench.message(1, newView(1, [liar, viewChangeOf(1, 1), own.value], [[3, '']]))
    expect(bench.replica).toMatchObject({ view: 1, isActive: true, base: 2, h: 2 })
    return bench
  }
  it('a base that fewer than a quorum vouch for takes no vote away: they may be all that tells what was decided, also after a restart', () => {
    const bench = fromWeakBase()
    const told = {
      view: 2,
      h: 0,
      pset: [{ sequenceNumber: 1 }, { sequenceNumber: 2 }],
      qset: [{ sequenceNumber: 1 }, { sequenceNumber: 2 }, { sequenceNumber: 3 }],
    }
    expect(sent(bench.fire('newView'))).toMatchObject([{ value: told }])
    const restarted = new Bench({ self: 3, options: { K: 2 }, restored: bench.records, metadata: encode(pbft.Metadata, { seqNo: 2 }) }).begin()
    expect(sent(restarted.fire('vcResend'))).toMatchObject([{ value: told }])
    // The others begin again below it: it votes with them for what it has executed.
    const [a = '', b = ''] = told.pset.map((_, index) => batchOf('ab'[index] ?? '').digest)
    const known = viewChangeOf(2, 1, { qset: [a, b].map((batchDigest, index) => ({ sequenceNumber: index + 1, batchDigest, view: 0 })) })
    const [own] = sent(bench.fire('vcResend'))
    if (own?.$case !== 'viewChange') throw new TypeError('expected a view change')
    const again = bench.message(
      2,
      newView(
        2,
        [viewChangeOf(2, 0), known, viewChangeOf(2, 2), own.value],
        [
          [1, a],
          [2, b],
        ],
      ),
    )
    expect(kinds(again)).toEqual(['prepare', 'prepare'])
    expect(bench.replica).toMatchObject({ view: 2, isActive: true, base: 0, h: 0 })
  })
  it('after a transfer too, and the window is where it was after a restart', () => {
    const bench = backup({ options: { K: 2 } })
    order(bench, 1, batchOf('a'), [1, 2])
    for (const from of [0, 1]) bench.message(from, checkpoint(8, 'eight', from))
    bench.run(() => startTransfer(bench.replica, { n: 8, id: headNamed('eight', 9n).blob, members: [0, 1] }))
    bench.transferred(headNamed('eight', 9n))
    expect(bench.replica).toMatchObject({ h: 8, floor: 0 })
    const metadata = encode(pbft.Metadata, { seqNo: 8 })
    const restarted = new Bench({ self: 3, options: { K: 2 }, restored: bench.records, metadata, head: headNamed('eight', 9n) }).begin()
    expect(restarted.replica).toMatchObject({ h: 8, floor: 0, lastExec: 8, isOutOfDate: false })
    const [told] = sent(restarted.fire('newView'))
    expect(told).toMatchObject({ value: { h: 0, cset: [{ sequenceNumber: 0 }, { sequenceNumber: 8 }], pset: [{ sequenceNumber: 1 }] } })
  })
  it('nothing at or below the checkpoint that a view began from is voted for in it, also after a restart', () => {
    const bench = fromWeakBase()
    const restarted = new Bench({ self: 3, options: { K: 2 }, restored: bench.records, metadata: encode(pbft.Metadata, { seqNo: 2 }) }).begin()
    for (const replica of [bench, restarted]) {
      expect(kinds(replica.message(1, prePrepare(2, batchOf('c'), { view: 1 })))).toEqual([])
      expect(kinds(replica.message(1, prePrepare(4, batchOf('d'), { view: 1 })))).toEqual(['prepare'])
    }
  })
  it('after a view change that failed the own state between checkpoints is a checkpoint too, and a view can begin from it', () => {
    const bench = backup()
    order(bench, 1, batchOf('a'), [1, 2])
    const numbers = (asked: readonly Asked[]): unknown[] =>
      sent(asked).flatMap((message) => (message.$case === 'viewChange' ? message.value.cset.map(({ sequenceNumber }) => sequenceNumber) : []))
    expect(numbers(bench.fire('newView'))).toEqual([0])
    for (const from of [0, 2]) bench.message(from, viewChange(1, from))
    expect(numbers(bench.fire('newView'))).toEqual([0, 1])
    const cset = [{ sequenceNumber: 1, id: idOf('head 1', 2n) }]
    bench.message(2, newView(2, [viewChangeOf(2, 0, { cset }), viewChangeOf(2, 1), viewChangeOf(2, 2, { cset })], [[2, '']]))
    expect(bench.replica).toMatchObject({ view: 2, isActive: true, base: 1, h: 0, seqNo: 2 })
  })
})
