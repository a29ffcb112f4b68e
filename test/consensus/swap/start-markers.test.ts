import { beforeEach, describe, expect, it } from 'vitest'
import { succession } from '../../../plugins/consensus/swap/calls.js'
import { markerName, StartMarkers } from '../../../plugins/consensus/swap/start-markers.js'
import { encode, EpochMarker, type EpochRecord } from '../../../proto/index.js'
import { createVirtualClock, VirtualTime } from '../../kit/index.js'
import { silentLogger } from '../../kit/silent-logger.js'
import { GENESIS, hashOf } from './contract-check.js'

const MEMBERS = [0, 1, 2, 3].map((index) => ({ index, id: `vp${index}`, publicKey: undefined }))
/** Validator 0 leads first. */
const RECORD: EpochRecord = { ...GENESIS, epoch: 2n, activation: 5n, firstLeader: 0, markersNeeded: 3, started: [] }
const GATHERED_MS = 100

function markerOf(member: number, more: Partial<EpochMarker> = {}, name = markerName(2n, member)): Uint8Array {
  const marker = { epoch: 2n, hash: hashOf(5n), member, signature: new Uint8Array(0), recovered: undefined, ...more }
  return succession(name, 'start', [encode(EpochMarker, marker)])
}

let time: VirtualTime
let submitted: number[][]
let starting: boolean[]
const known = [0, 1, 2, 3].map((member) => markerOf(member))

/** Of validator 0. */
function gatherer(verify?: () => Promise<boolean>): StartMarkers {
  return new StartMarkers({
    members: MEMBERS,
    self: 0,
    clock: createVirtualClock(
      time,
      () => true,
      () => 0,
    ),
    log: silentLogger,
    signer: verify && { sign: () => Promise.resolve(new Uint8Array(0)), verify },
    hashOf: (block) => (block === 5n ? hashOf(5n) : undefined),
    submit: (markers, startsEpoch) => {
      submitted.push(markers.map((marker) => known.findIndex((each) => Buffer.compare(each, marker) === 0)))
      starting.push(startsEpoch)
    },
  })
}

function run(ms: number): void {
  const endMs = time.nowMs + ms
  for (let next = time.nextMs(); next !== undefined && next <= endMs; next = time.nextMs()) time.step()
  time.advanceTo(endMs)
}

const said = (marker: Uint8Array): { epoch: bigint; marker: Uint8Array } => ({ epoch: 2n, marker })

beforeEach(() => {
  time = new VirtualTime()
  submitted = []
  starting = []
})

describe('start markers', () => {
  it('are ordered together, in the order of the members, as soon as there are enough', async () => {
    const markers = gatherer()
    await markers.begin(RECORD, markerOf(0))
    await markers.heard(3, said(markerOf(3)))
    expect(submitted).toEqual([])
    await markers.heard(3, said(markerOf(3)))
    expect(submitted).toEqual([])
    await markers.heard(1, said(markerOf(1)))
    expect(submitted).toEqual([[0, 1, 3]])
    expect(starting).toEqual([true])
    await markers.heard(2, said(markerOf(2)))
    markers.opened([0, 1, 3])
    run(1000)
    expect(submitted).toEqual([[0, 1, 3]])
  })

  it('are left to the first leader, and not for long', async () => {
    const markers = gatherer()
    await markers.begin({ ...RECORD, firstLeader: 1 }, markerOf(0))
    for (const member of [1, 2]) await markers.heard(member, said(markerOf(member)))
    run(GATHERED_MS - 1)
    expect(submitted).toEqual([])
    run(1)
    expect(submitted).toEqual([[0, 1, 2]])
    expect(starting).toEqual([false])
    markers.opened([0, 1, 2])
    expect(submitted).toHaveLength(1)
  })

  it('that the first leader had ordered need no others; the own one is ordered if it is none of them', async () => {
    for (const [started, own] of [
      [[0, 1, 2], []],
      [[1, 2, 3], [[0]]],
    ] as const) {
      submitted = []
      const markers = gatherer()
      await markers.begin({ ...RECORD, firstLeader: 1 }, markerOf(0))
      for (const member of [1, 2, 3]) await markers.heard(member, said(markerOf(member)))
      markers.opened(started)
      run(1000)
      expect(submitted).toEqual(own)
    }
  })

  it('that came before this validator crossed are enough without its own, which waits until the epoch has started', async () => {
    const markers = gatherer()
    for (const member of [3, 1, 2]) await markers.heard(member, said(markerOf(member)))
    await markers.begin(RECORD, markerOf(0))
    expect(submitted).toEqual([[1, 2, 3]])
    expect(starting).toEqual([true])
    markers.opened([1, 2, 3])
    expect(submitted).toEqual([[1, 2, 3], [0]])
    run(1000)
    expect(submitted).toHaveLength(2)
  })

  it('that are executed already count, and the own one waits for no start that never comes', async () => {
    const markers = gatherer()
    for (const member of [1, 2]) await markers.heard(member, said(markerOf(member)))
    await markers.begin({ ...RECORD, started: [3] }, markerOf(0))
    expect(submitted).toEqual([[1, 2]])
    run(GATHERED_MS)
    expect(submitted).toEqual([[1, 2], [0]])
  })

  it('too few are ordered after a while, and each further one that is needed at once', async () => {
    const markers = gatherer()
    await markers.begin(RECORD, markerOf(0))
    await markers.heard(2, said(markerOf(2)))
    run(GATHERED_MS - 1)
    expect(submitted).toEqual([])
    run(1)
    expect(submitted).toEqual([[0, 2]])
    expect(starting).toEqual([false])
    await markers.heard(1, said(markerOf(1)))
    await markers.heard(3, said(markerOf(3)))
    expect(submitted).toEqual([[0, 2], [1]])
    expect(starting).toEqual([false, true])
  })

  it.each([
    ['is of another epoch', markerOf(1, { epoch: 3n })],
    ['is of another member', markerOf(3)],
    ['tells of another activation block', markerOf(1, { hash: hashOf(4n) })],
    ['brings a record of a recovery', markerOf(1, { recovered: RECORD })],
    ['has the name of something else', markerOf(1, {}, 'consensus-start-2-3')],
    [
      'is another call',
      succession(markerName(2n, 1), 'cancel', [
        encode(EpochMarker, { epoch: 2n, hash: hashOf(5n), member: 1, signature: new Uint8Array(0), recovered: undefined }),
      ]),
    ],
    ['is longer than any', markerOf(1, { signature: new Uint8Array(3000) })],
    ['holds more than the call', Buffer.concat([markerOf(1), Buffer.of(0x52, 0)])],
    ['is nonsense', Buffer.of(1, 2, 3)],
    ['has an argument that is nonsense', succession(markerName(2n, 1), 'start', [Buffer.of(255)])],
  ])('of a member that %s is not handed on', async (_, marker) => {
    const markers = gatherer()
    await markers.begin(RECORD, markerOf(0))
    await markers.heard(2, said(markerOf(2)))
    await markers.heard(1, said(marker))
    expect(submitted).toEqual([])
    await markers.heard(1, said(markerOf(1)))
    expect(submitted).toEqual([[0, 1, 2]])
  })

  it('count only with signatures that hold', async () => {
    const markers = gatherer(() => Promise.resolve(false))
    await markers.begin(RECORD, markerOf(0))
    for (const member of [1, 2, 3]) await markers.heard(member, said(markerOf(member)))
    run(GATHERED_MS)
    expect(submitted).toEqual([[0]])
  })

  it('of an engine that is gone are not ordered', async () => {
    const markers = gatherer()
    await markers.begin(RECORD, markerOf(0))
    markers.end()
    for (const member of [1, 2]) await markers.heard(member, said(markerOf(member)))
    markers.opened([1, 2, 3])
    run(1000)
    expect(submitted).toEqual([])
  })
})
