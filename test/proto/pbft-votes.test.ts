import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { decode, pbft, WireError } from '../../proto/index.js'

const number = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n - 1n))
const vote = fc.record({
  $case: fc.constantFrom<'prepare' | 'commit'>('prepare', 'commit'),
  value: fc.record({
    view: number,
    sequenceNumber: number,
    batchDigest: fc.oneof(fc.string({ maxLength: 90 }), fc.string({ unit: 'binary', maxLength: 10 })),
    replicaId: number,
  }),
})

/** As any message is read: checked and brought into canonical form, then decoded. */
function decodeSlowly(bytes: Uint8Array): pbft.Incoming | undefined {
  try {
    const { payload } = decode(pbft.BatchMessage, bytes)
    if (payload?.$case === 'request') return payload
    return payload?.$case === 'pbftMessage' ? decode(pbft.Message, payload.value).payload : undefined
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

it('reads votes as it reads any message', () => {
  fc.assert(
    fc.property(vote, (payload) => {
      const bytes = pbft.encodePayload(payload)
      expect(pbft.decodeIncoming(bytes)).toEqual(payload)
      expect(decodeSlowly(bytes)).toEqual(payload)
    }),
  )
})

it('reads votes with changed bytes, cut or lengthened, as it reads any message', () => {
  fc.assert(
    fc.property(
      vote,
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }),
      fc.nat(200),
      fc.uint8Array({ maxLength: 4 }),
      (payload, changes, cut, more) => {
        const bytes = Uint8Array.from([...pbft.encodePayload(payload).subarray(0, cut < 100 ? undefined : cut - 100), ...more])
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte
        expect(pbft.decodeIncoming(bytes)).toEqual(decodeSlowly(bytes))
      },
    ),
    { numRuns: 3000 },
  )
})
