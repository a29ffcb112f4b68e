import { describe, expect, it } from 'vitest'
import { encode, pbft } from '../../proto/index.js'
import { NOTHING, toBatch } from '../../plugins/pbft/messages.js'
import { onExecuting } from '../../plugins/pbft/requests.js'
import { Bench } from './kit/bench.js'
import { announce, batchOf, checkpoint, kinds, order, prePrepare, requestOf, viewChange, viewChangeOf, vote } from './kit/say.js'
import { makeTransaction } from '../kit/index.js'

const backup = (options: Partial<ConstructorParameters<typeof Bench>[0]> = {}) => new Bench({ self: 1, ...options }).begin()
const primary = (options: Record<string, unknown> = {}) => new Bench({ self: 0, options: { batching: 'fixed', batchsize: 1, ...options } }).begin()

/** Most of these fail on the original: docs/spec/consensus.md §15. */
describe('robustness and resources', () => {
  it('W23: a request without a time, and bytes of any kind, crash nobody', () => {
    const bench = backup()
    bench.message(2, pbft.encodeRequest({ ...requestOf('x', 2), timestamp: undefined }))
    for (const hostile of ['', 'ff', '1a', '1a00', '1a0100', '1a021200', '0a00', '2200', '1a021a00']) bench.message(2, Buffer.from(hostile, 'hex'))
    expect([...bench.replica.book.all()]).toEqual([])
  })
  it('W27: one replica that says f + 2 things of a checkpoint is heard once', () => {
    const bench = backup()
    for (const name of ['x', 'y', 'z']) expect(bench.message(2, checkpoint(10, name, 2))).toEqual([])
    expect(bench.log.filter((line) => line.startsWith('warning replica 2 says two things'))).toHaveLength(2)
  })
  it('W27: a replica whose state differs from that of f + 1 others stops voting and says where', () => {
    const bench = backup({ options: { K: 1, logmultiplier: 10 } })
    order(bench, 1, batchOf('a'))
    const asked = [0, 2].flatMap((from) => bench.message(from, checkpoint(1, 'another', from)))
    expect(asked.map(({ op }) => op)).toEqual(['valid', 'halt'])
  })
  it('W28: of each member a few view changes are kept, the lowest and the highest', () => {
    const bench = backup()
    for (let view = 1; view <= 50; view++) bench.message(2, viewChange(view, 2))
    bench.message(3, viewChange(60, 3))
    // Two members are ahead: replica 2 up to view 50, which it was seen in.
    expect(bench.replica.view).toBe(50)
  })
  it('W28: batches that nothing names any more are dropped with the watermark', () => {
    const bench = backup({ options: { K: 2, logmultiplier: 2 } })
    order(bench, 1, batchOf('a'))
    order(bench, 2, batchOf('b'))
    const state = bench.replica
    const id = state.checkpoints.get(2) ?? ''
    for (const from of [0, 2]) bench.message(from, pbft.encodePayload({ $case: 'checkpoint', value: { sequenceNumber: 2, replicaId: from, id } }))
    expect({ h: state.h, batches: state.batches.size, slots: state.slots.size }).toEqual({ h: 2, batches: 0, slots: 0 })
  })
  it('W28: texts longer than any honest one are not kept', () => {
    const bench = backup({ self: 3 })
    const long = 'x'.repeat(2000)
    bench.message(2, vote('commit', 1, long, 2))
    bench.message(2, vote('prepare', 1, long, 2))
    bench.message(2, viewChange(1, 2, { qset: [{ sequenceNumber: 1, batchDigest: long, view: 0 }] }))
    bench.message(2, pbft.encodePayload({ $case: 'checkpoint', value: { sequenceNumber: 2, replicaId: 2, id: long } }))
    const { slots, said, viewChanges } = bench.replica
    expect([slots.size, said.size, viewChanges.size]).toEqual([0, 0, 0])
  })
  it('W28: a signature longer than any is not kept; a copy of the message, as originals send it, may be of any length', () => {
    const bench = backup({ self: 3, verify: () => true })
    const pset = Array.from({ length: 1000 }, (_, index) => ({ sequenceNumber: index + 1, batchDigest: 'd'.repeat(88), view: 0 }))
    bench.message(2, viewChange(1, 2, { signature: Buffer.alloc(65 * 1024) }))
    expect(bench.replica.viewChanges.get(2)).toBeUndefined()
    const wide = new Bench({ self: 3, verify: () => true, options: { K: 500 } }).begin()
    const unsigned = viewChangeOf(1, 2, { pset, signature: NOTHING })
    const copy = encode(pbft.ViewChange, unsigned)
    expect(copy.length).toBeGreaterThan(64 * 1024)
    wide.message(2, viewChange(1, 2, { ...unsigned, signature: copy }))
    expect(wide.replica.viewChanges.get(2)?.size).toBe(1)
  })
  it('a batch of more requests than a call has arguments is executed', () => {
    const bench = backup({ size: 16 })
    const requests = Array.from({ length: 200_000 }, (_, at) => ({ id: String(at), bytes: NOTHING }))
    const content = { request: requestOf('a'), arrivedAt: bench.nowMs, announcedAt: 0, repeats: 0 }
    for (const [at, { id }] of requests.entries()) bench.replica.book.add({ id, from: at % 16, content })
    expect(bench.replica.book.size).toBe(200_000)
    onExecuting(bench.replica, { ...batchOf('a'), requests })
    expect(bench.replica.book.size).toBe(0)
  })
  it('who asks for a batch again and again gets it so often as anybody may need it', () => {
    const bench = backup()
    const batch = toBatch({ batch: [{ ...requestOf('a'), payload: makeTransaction('x'.repeat(8 * 1024 * 1024)) }] })
    bench.message(0, prePrepare(1, batch))
    const fetch = (from: number) => pbft.encodePayload({ $case: 'fetchRequestBatch', value: { batchDigest: batch.digest, replicaId: from } })
    const given = (from: number, times: number): number =>
      Array.from({ length: times }, () => kinds(bench.message(from, fetch(from)))).filter(([kind]) => kind === 'returnRequestBatch').length
    expect(given(2, 50)).toBe(2)
    expect(given(3, 1)).toBe(1)
    bench.nowMs += 10_000
    expect(given(2, 50)).toBe(2)
  })
  it('a request is counted with its signature, and keeps nothing of the frame that it came in', () => {
    const bench = primary({ batchsize: 100 })
    const frame = Buffer.concat([announce('a'), Buffer.alloc(500_000)])
    bench.message(1, frame.subarray(0, announce('a').length))
    const [waiting] = bench.replica.book.all()
    expect(waiting?.content.request.payload.buffer.byteLength).toBeLessThan(10_000)
    const signature = Buffer.alloc(100 * 1024 * 1024)
    for (const name of ['b', 'c', 'd', 'e']) bench.engine.onMessage(1, pbft.encodeRequest({ ...requestOf(name), signature }))
    expect(bench.replica.book.size).toBe(3)
  })
  it('W29: a proposal whose batch is another than it says leaves nothing behind', () => {
    const bench = backup()
    const batch = batchOf('a')
    expect(bench.message(0, prePrepare(1, batchOf('b'), { digest: batch.digest }))).toEqual([])
    expect(kinds(bench.message(0, prePrepare(1, batch)))).toEqual(['prepare'])
  })
  it('W33: no state is transferred backwards', () => {
    const bench = backup({ metadata: encode(pbft.Metadata, { seqNo: 25 }) })
    for (const from of [0, 2]) bench.message(from, checkpoint(21, 'old', from))
    bench.fire('tick')
    expect(bench.fire('tick').filter(({ op }) => op === 'transfer')).toEqual([])
  })
})
