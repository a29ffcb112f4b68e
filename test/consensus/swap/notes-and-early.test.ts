import { describe, expect, it } from 'vitest'
import type { CrossingNote, EpochRecord } from '../../../proto/index.js'
import { EarlyMessages } from '../../../plugins/consensus/early.js'
import { EngineMail } from '../../../plugins/consensus/engine-mail.js'
import { defaultLimits } from '../../../plugins/consensus/limits.js'
import { Crossing } from '../../../plugins/consensus/swap/crossing.js'
import { createVirtualClock, VirtualTime } from '../../kit/index.js'
import { GENESIS, hashOf } from './contract-check.js'

const LIMITS = { maxInboundPerMember: 3, maxInboundBytesPerMember: 100 }
const NO_BYTES = new Uint8Array(0)
const bytes = (text: string): Uint8Array => Buffer.from(text)
const read = (early: EarlyMessages, channel: string): string[] =>
  [...early.take(channel)].map(
    ({ from, messages, isBroken }) => `${from}: ${messages.map((each) => Buffer.from(each).toString()).join()}${isBroken ? ' broken' : ''}`,
  )

describe('messages of engines that do not run yet', () => {
  it('are kept in order for each member, and given once', () => {
    const early = new EarlyMessages(LIMITS)
    early.add('1', 2, bytes('a'))
    early.add('1', 0, bytes('b'))
    early.add('1', 2, bytes('c'))
    expect(read(early, '1')).toEqual(['2: a,c', '0: b'])
    early.add('1', 2, bytes('late'))
    expect(read(early, '1')).toEqual([])
  })

  it('are bounded in number, bytes and channels; a gap is told as a broken link', () => {
    const early = new EarlyMessages(LIMITS)
    for (const text of ['a', 'b', 'c', 'd', 'e']) early.add('1', 0, bytes(text))
    early.add('1', 1, new Uint8Array(101))
    early.add('1', 1, bytes('after the gap'))
    expect(read(early, '1')).toEqual(['0: a,b,c broken', '1:  broken'])
    for (const channel of ['2', '3', '4', '5', '6']) early.add(channel, 0, bytes('x'))
    expect(['2', '3', '4', '5', '6'].map((channel) => read(early, channel).length)).toEqual([1, 1, 1, 1, 0])
  })

  it('have one bound in bytes for all channels of a member, keep nothing of the frames that they came in, and are taken again for an engine that runs again', () => {
    const early = new EarlyMessages(LIMITS)
    const frame = new Uint8Array(1000)
    early.add('1', 0, frame.subarray(0, 60))
    early.add('2', 0, new Uint8Array(60))
    early.add('2', 1, new Uint8Array(60))
    const [kept] = [...early.take('1')].flatMap(({ messages }) => messages)
    expect([kept?.length, kept?.buffer.byteLength]).toEqual([60, 60])
    expect([...early.take('2')].map(({ from, isBroken }) => [from, isBroken])).toEqual([
      [0, true],
      [1, false],
    ])
    early.add('1', 0, bytes('dropped'))
    early.reopen('1')
    early.add('1', 0, bytes('kept'))
    expect(read(early, '1')).toEqual(['0: kept'])
  })

  it('too far ahead to be kept are known as a gap; those of a candidate that is dropped make room for others', () => {
    const early = new EarlyMessages(LIMITS)
    early.lost('9', 1)
    early.add('9', 1, bytes('a'))
    expect(read(early, '9')).toEqual(['1:  broken'])
    for (const channel of ['c1', 'c2', 'c3', 'c4']) early.add(channel, 0, bytes('x'))
    early.forget('c1')
    early.add('c1', 0, bytes('x'))
    early.add('2', 0, bytes('b'))
    expect([read(early, 'c1'), read(early, '2')]).toEqual([[], ['0: b']])
  })

  it('of channels that will never run are forgotten, and a link that breaks is remembered', () => {
    const early = new EarlyMessages(LIMITS)
    early.add('1', 0, bytes('a'))
    early.add('2', 0, bytes('b'))
    early.add('3', 0, bytes('c'))
    early.broke(0, (channel) => channel !== '3')
    early.keep((channel) => channel !== '1')
    expect([read(early, '1'), read(early, '2'), read(early, '3')]).toEqual([[], ['0: b broken'], ['0: c']])
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
