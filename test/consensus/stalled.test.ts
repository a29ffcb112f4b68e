import { describe, expect, test } from 'vitest'
import { stallOf } from '../../plugins/consensus/stalled.js'
import { EpochRecord } from '../../proto/index.js'

const others = [1, 2, 3].map((index) => ({ index, id: `vp${index}` }))
const pbft = EpochRecord.fromPartial({ engine: 'pbft', agreement: true, crashed: 1, byzantine: 1 })
const course = { record: pbft, others, isConnected: () => true, waiting: 0, stillMs: 60_000 }

describe('an engine that runs', () => {
  test('may order nothing with fewer links than it relies on, and may with one less', () => {
    expect(stallOf(course)).toBeUndefined()
    expect(stallOf({ ...course, isConnected: ({ index }) => index !== 2 })).toBeUndefined()
    expect(stallOf({ ...course, isConnected: ({ index }) => index === 2 })).toBe(
      'it is connected to 1 of 3 other validators, and pbft relies on 2: no link to vp1, vp3',
    )
    const noops = EpochRecord.fromPartial({ engine: 'noops', agreement: false })
    expect(stallOf({ ...course, record: noops, isConnected: () => false })).toBeUndefined()
    expect(stallOf({ ...course, others: [] })).toBeUndefined()
  })

  test('may order nothing while what it accepted waits and no block comes', () => {
    expect(stallOf({ ...course, waiting: 5, stillMs: 9000 })).toBeUndefined()
    expect(stallOf({ ...course, waiting: 5, stillMs: 23_400 })).toBe('5 transactions wait here, and no block has come for 23 s')
    expect(stallOf({ ...course, waiting: 1, stillMs: 10_000 })).toBe('1 transaction waits here, and no block has come for 10 s')
  })
})
