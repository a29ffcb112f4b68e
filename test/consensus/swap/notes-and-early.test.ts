import { describe, expect, it } from 'vitest'
import type { CrossingNote, EpochRecord } from '../../../proto/index.js'
import { EarlyMessages, type Taken } from '../../../plugins/consensus/epochs/early.js'
import { EngineMail } from '../../../plugins/consensus/epochs/engine-mail.js'
import { defaultLimits } from '../../../plugins/consensus/limits.js'
import { Crossing } from '../../../plugins/consensus/swap/crossing.js'
import { createVirtualClock, VirtualTime } from '../../kit/index.js'
import { GENESIS, hashOf } from './contract-check.js'

const LIMITS = { maxInboundPerMember: 3, maxInboundBytesPerMember: 100 }
const NO_BYTES = new Uint8Array(0)
const bytes = (text: string): Uint8Array => Buffer.from(text)
const textOf = (taken: readonly Taken[]): string[] =>
  taken.map(({ from, messages, isBroken }) => `${from}: ${messages.map((each) => Buffer.from(each).toString()).join()}${isBroken ? ' broken' : ''}`)
const read = (early: EarlyMessages, epoch: bigint): string[] => textOf(early.take(epoch))

describe('messages of engines that do not run yet', () => {
  it('are kept in order for each member, and given once', () => {
    const early = new EarlyMessages(LIMITS)
    early.add(1n, 2, bytes('a'))
    early.add(1n, 0, bytes('b'))
    early.add(1n, 2, bytes('c'))
    expect(read(early, 1n)).toEqual(['2: a,c', '0: b'])
    early.add(1n, 2, bytes('late'))
    expect(read(early, 1n)).toEqual([])
  })

  it('are bounded in number and bytes; a gap is told as a broken link', () => {
    const early = new EarlyMessages(LIMITS)
    for (const text of ['a', 'b', 'c', 'd', 'e']) early.add(1n, 0, bytes(text))
    early.add(1n, 1, new Uint8Array(101))
    early.add(1n, 1, bytes('after the gap'))
    early.add(1n, 2, undefined)
    expect(read(early, 1n)).toEqual(['0: a,b,c broken', '1:  broken', '2:  broken'])
  })

  it('are kept for the newest candidates of a member, and of older ones the gap; they take no room from those of epochs', () => {
    const early = new EarlyMessages(LIMITS)
    const candidates = Array.from({ length: 70 }, (_, number) => `candidate ${number}`)
    early.addToCandidate('candidate 0', 1, bytes('another member'))
    for (const candidate of candidates) early.addToCandidate(candidate, 0, bytes('x'))
    early.add(2n, 0, bytes('b'))
    expect(read(early, 2n)).toEqual(['0: b'])
    const kept = candidates.map((candidate) => textOf(early.takeForCandidate(candidate)))
    expect(kept.slice(-4)).toEqual([['0:  broken'], ['0: x'], ['0: x'], ['0: x']])
    expect(kept.filter((each) => each.length > 0)).toHaveLength(65)
    expect(kept[0]).toEqual(['1: another member'])
  })

  it('have one bound in bytes for all that a member said, keep nothing of the frames that they came in, and are taken again for an engine that runs again', () => {
    const early = new EarlyMessages(LIMITS)
    const frame = new Uint8Array(1_000_000)
    early.add(1n, 0, frame.subarray(0, 60))
    early.add(2n, 0, new Uint8Array(60))
    early.add(2n, 1, new Uint8Array(60))
    const [kept] = early.take(1n).flatMap(({ messages }) => messages)
    expect(kept).toHaveLength(60)
    expect(kept?.buffer.byteLength).toBeLessThan(10_000)
    expect(early.take(2n).map(({ from, isBroken }) => [from, isBroken])).toEqual([
      [0, true],
      [1, false],
    ])
    early.add(1n, 0, bytes('dropped'))
    early.reopen(1n)
    early.add(1n, 0, bytes('kept'))
    expect(read(early, 1n)).toEqual(['0: kept'])
  })

  it('too far ahead to be kept are known as a gap of all epochs up to theirs; those of a candidate that is dropped are not kept any more', () => {
    const early = new EarlyMessages(LIMITS)
    early.lost(9n, 1)
    early.lost(7n, 1)
    early.add(9n, 1, bytes('a'))
    early.add(8n, 0, bytes('b'))
    expect([read(early, 8n), read(early, 9n), read(early, 10n)]).toEqual([['0: b', '1:  broken'], ['1: a broken'], []])
    early.addToCandidate('c1', 0, bytes('x'))
    early.forgetCandidate('c1')
    early.addToCandidate('c1', 0, bytes('x'))
    expect(early.takeForCandidate('c1')).toEqual([])
  })

  it('of epochs that are over are forgotten, and a link that breaks is remembered', () => {
    const early = new EarlyMessages(LIMITS)
    early.add(0n, 0, bytes('z'))
    early.add(1n, 0, bytes('a'))
    early.add(2n, 0, bytes('b'))
    early.addToCandidate('c', 0, bytes('c'))
    early.broke(0, false)
    early.entered(0n, true)
    expect(read(early, 0n)).toEqual(['0: z'])
    early.entered(2n, true)
    expect([read(early, 1n), read(early, 2n), textOf(early.takeForCandidate('c'))]).toEqual([[], ['0: b broken'], ['0: c broken']])
    early.addToCandidate('d', 0, bytes('d'))
    early.entered(3n, false)
    expect(early.takeForCandidate('d')).toEqual([])
  })
})

describe('an engine that begins', () => {
  it('is told who came, what they said, and who went meanwhile: what they say when they are back does not follow that', () => {
    const mail = new EngineMail({
      limits: { ...defaultLimits, ...LIMITS },
      clock: createVirtualClock(
        new VirtualTime(),
        () => true,
        () => 0,
      ),
      present: () => 1n,
      engineOf: () => undefined,
      trial: () => undefined,
      crossing: () => ({ tell: () => undefined, ask: () => undefined }),
      isOver: () => false,
    })
    for (const member of [1, 2, 3]) mail.peer('notes', member, true, [])
    for (const member of [1, 2, 3]) mail.ofLaterEpoch(member, { epoch: 1n, trial: NO_BYTES, message: bytes(`from ${member}`) })
    for (const member of [2, 3]) mail.peer('notes', member, false, [])
    mail.peer('notes', 3, true, [])
    const told: string[] = []
    mail.welcome(1n, {
      peer: (member, isUp) => void told.push(`${member} ${isUp ? 'came' : 'went'}`),
      message: (from, message) => void told.push(`${from}: ${Buffer.from(message).toString()}`),
    })
    expect(told).toEqual(['1 came', '3 came', '1: from 1', '2 came', '2: from 2', '2 went', '3: from 3', '3 went', '3 came'])
  })
})

const RECORD: EpochRecord = { ...GENESIS, epoch: 1n, activation: 5n }

function crossingOf(): {
  readonly crossing: Crossing
  readonly time: VirtualTime
  readonly told: [number | undefined, CrossingNote][]
  readonly completed: number[]
  run(ms: number): void
} {
  const time = new VirtualTime()
  const told: [number | undefined, CrossingNote][] = []
  const completed: number[] = []
  const crossing = new Crossing({
    members: 4,
    self: 0,
    notes: { tell: (note, to) => void (note.$case === 'crossing' && told.push([to, note.value])) },
    clock: createVirtualClock(
      time,
      () => true,
      () => 0,
    ),
    height: () => 8n,
    hashOf: (block) => hashOf(block),
    isOver: () => false,
    complete: () => completed.push(time.nowMs),
  })
  const run = (ms: number): void => {
    const endMs = time.nowMs + ms
    for (let next = time.nextMs(); next !== undefined && next <= endMs; next = time.nextMs()) time.step()
    time.advanceTo(endMs)
  }
  return { crossing, time, told, completed, run }
}

const note = (more: Partial<CrossingNote> = {}): CrossingNote => ({
  epoch: 1n,
  activation: 5n,
  hash: hashOf(5n),
  height: 7n,
  asks: false,
  recovery: false,
  marker: new Uint8Array(0),
  ...more,
})

describe('who has crossed', () => {
  it('is told to all, and asked of those who have not said so', () => {
    const { crossing, told, run } = crossingOf()
    crossing.enter(RECORD, 3)
    expect(told).toEqual([[undefined, note({ height: 8n })]])
    crossing.received(2, note())
    run(1000)
    expect(told.slice(1).map(([to, { asks }]) => [to, asks])).toEqual([
      [1, true],
      [3, true],
    ])
  })

  it('ends the help with the epoch before at once when everybody has, and soon after enough have', () => {
    const all = crossingOf()
    all.crossing.enter(RECORD, 3)
    for (const member of [1, 2, 3]) all.crossing.received(member, note())
    expect(all.completed).toEqual([0])
    const enough = crossingOf()
    enough.crossing.enter(RECORD, 3)
    for (const member of [1, 2]) enough.crossing.received(member, note())
    expect(enough.completed).toEqual([])
    enough.run(1000)
    expect(enough.completed).toEqual([1000])
    expect(enough.crossing.crossed).toEqual([0, 1, 2])
  })

  it.each([
    ['another block', note({ hash: hashOf(4n) })],
    ['another epoch', note({ epoch: 2n })],
    ['another activation block', note({ activation: 4n, hash: hashOf(4n) })],
  ])('does not count who says %s', (_, said) => {
    const { crossing, completed, run } = crossingOf()
    crossing.enter(RECORD, 3)
    for (const member of [1, 2, 3]) crossing.received(member, said)
    run(5000)
    expect([completed, crossing.crossed]).toEqual([[], [0]])
  })

  it('answers whoever asks or is late, but not more often than every 200 ms', () => {
    const { crossing, told, run } = crossingOf()
    crossing.enter(RECORD, 0)
    for (let each = 0; each < 10; each += 1) crossing.received(3, note({ epoch: 0n, asks: true }))
    for (let each = 0; each < 10; each += 1) crossing.tell(3)
    expect(told.filter(([to]) => to === 3)).toHaveLength(1)
    run(200)
    crossing.tell(3)
    expect(told.filter(([to]) => to === 3)).toHaveLength(2)
  })
})
