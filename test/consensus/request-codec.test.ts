import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRequests, encodeRequests, requestId } from '../../plugins/consensus/index.js'

const request = fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ id: requestId(bytes), bytes }))

describe('lists of requests as bytes', () => {
  it('come back as they were, with their ids', () => {
    fc.assert(
      fc.property(fc.array(request), (requests) => {
        const read = decodeRequests(encodeRequests(requests))
        expect(read?.map(({ id, bytes }) => ({ id, bytes: Uint8Array.from(bytes) }))).toEqual(requests)
      }),
    )
  })

  it('are refused when they are cut', () => {
    const encoded = encodeRequests([{ id: requestId(Buffer.from('abc')), bytes: Buffer.from('abc') }])
    for (let length = 1; length < encoded.length; length += 1) expect(decodeRequests(encoded.subarray(0, length))).toBeUndefined()
  })

  it('are read or refused, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const read = decodeRequests(bytes)
        if (read) expect(encodeRequests(read)).toEqual(Buffer.from(bytes))
      }),
    )
  })
})
