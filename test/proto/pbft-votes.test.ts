import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode, pbft, WireError } from '../../proto/index.js'
import { decodeVote, encodePQset, encodeVote } from '../../proto/pbft-votes.js'

const number = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(0, 127, 128, 2 ** 28 - 1, 2 ** 28))
const digest = fc.oneof(
  fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  fc.constant(''),
  fc.string({ maxLength: 150 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
)
const vote = fc.record(
  {
    $case: fc.constantFrom('prepare' as const, 'commit' as const),
    value: fc.record({ view: number, sequenceNumber: number, batchDigest: digest, replicaId: number }, { noNullPrototype: true }),
  },
  { noNullPrototype: true },
)

function encodeSlowly(payload: pbft.Payload): Uint8Array {
  return encode(pbft.BatchMessage, { payload: { $case: 'pbftMessage', value: encode(pbft.Message, { payload }) } })
}

function decodeSlowly(bytes: Uint8Array): pbft.Payload | undefined {
  try {
    const { payload } = decode(pbft.BatchMessage, bytes)
    return payload?.$case === 'pbftMessage' ? decode(pbft.Message, payload.value).payload : undefined
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

const isSame = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0

describe('votes of PBFT, written and read in one go', () => {
  it('are the bytes that the generated code writes', () => {
    fc.assert(
      fc.property(vote, (one) => isSame(encodeVote(one) ?? encodeSlowly(one), encodeSlowly(one))),
      { numRuns: 2000 },
    )
  })

  it('are what the generated code reads', () => {
    fc.assert(
      fc.property(vote, (one) => isDeepStrictEqual(decodeVote(encodeSlowly(one)) ?? one, one)),
      { numRuns: 2000 },
    )
  })

  it('are refused with numbers beyond 2^53 - 1, which nothing honest comes to', () => {
    const largest = { $case: 'prepare' as const, value: { view: 0, sequenceNumber: Number.MAX_SAFE_INTEGER, batchDigest: '', replicaId: 0 } }
    expect(pbft.decodeIncoming(encodeSlowly(largest))).toEqual(largest)
    const beyond = Buffer.concat([Buffer.from('1a0b1a0910', 'hex'), Buffer.from('8080808080808010', 'hex')])
    expect(pbft.decodeIncoming(beyond)).toBeUndefined()
    expect(() => decode(pbft.Message, beyond.subarray(2))).toThrow(/Value is larger than Number.MAX_SAFE_INTEGER/)
  })

  it('go this way in their usual form', () => {
    const one = { $case: 'commit' as const, value: { view: 3, sequenceNumber: 1000, batchDigest: 'A'.repeat(88), replicaId: 2 } }
    expect(encodeVote(one)).toBeDefined()
    expect(decodeVote(encodeSlowly(one))).toEqual(one)
  })

  it('are read as the generated code reads them, or not at all, also if the bytes are hostile', () => {
    const change = fc.record({ at: fc.nat(130), by: fc.integer({ min: 1, max: 255 }), cut: fc.nat(3), more: fc.uint8Array({ maxLength: 2 }) })
    fc.assert(
      fc.property(vote, change, (one, { at, by, cut, more }) => {
        const bytes = Buffer.concat([encodeSlowly(one), more]).subarray(0, -cut || undefined)
        const index = at % Math.max(1, bytes.length)
        bytes[index] = (bytes[index] ?? 0) ^ by
        const read = decodeVote(bytes)
        if (read) expect(read).toEqual(decodeSlowly(bytes))
        expect(pbft.decodeIncoming(bytes)?.$case === 'request' ? undefined : pbft.decodeIncoming(bytes)).toEqual(decodeSlowly(bytes))
      }),
      { numRuns: 5000 },
    )
  })
})

describe('the stored P and Q sets', () => {
  it('are the bytes that the generated code writes', () => {
    const entries = fc.array(fc.record({ sequenceNumber: number, batchDigest: digest, view: number }), { maxLength: 12 })
    fc.assert(
      fc.property(entries, (set) => isSame(encodePQset(set) ?? new Uint8Array(0), encode(pbft.PQset, { set })) || encodePQset(set) === undefined),
      { numRuns: 1000 },
    )
    expect(encodePQset([{ sequenceNumber: 7, batchDigest: 'A'.repeat(88), view: 1 }])).toBeDefined()
  })

  it('are the same written again and again, whatever becomes of the set, and what was written stays', () => {
    const entry = fc.record({ sequenceNumber: number, batchDigest: digest, view: number })
    const change = fc.record({ dropped: fc.nat(3), kept: fc.nat(12), added: fc.array(entry, { maxLength: 3 }) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const write = pbft.createPQsetWriter()
        const written: { readonly bytes: Uint8Array; readonly expected: Uint8Array }[] = []
        let set: pbft.ViewChangePQ[] = []
        for (const { dropped, kept, added } of changes) {
          set = [...set.slice(dropped, dropped + kept), ...added].map((one) => ({ ...one }))
          written.push({ bytes: write(set), expected: encode(pbft.PQset, { set }) })
        }
        return written.every(({ bytes, expected }) => isSame(bytes, expected))
      }),
      { numRuns: 500 },
    )
  })
})
