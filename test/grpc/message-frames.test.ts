import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader, frameOf } from '../../plugins/grpc/message-frames.js'

/** What a reader finds in these pieces. */
function found(pieces: readonly Buffer[], maxBytes = -1): string[] {
  const reader = new FrameReader(maxBytes)
  const messages: string[] = []
  for (const piece of pieces) {
    reader.add(piece)
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if ('refusal' in next) return [...messages, next.refusal]
      messages.push(next.toString('hex'))
    }
  }
  return messages
}

describe('frames of messages', () => {
  it('are found however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 }),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map(frameOf))
          const pieces: Buffer[] = []
          let at = 0
          for (const length of cuts) {
            pieces.push(bytes.subarray(at, at + length))
            at = Math.min(bytes.length, at + length)
          }
          pieces.push(bytes.subarray(at))
          expect(found(pieces)).toEqual(messages.map((message) => Buffer.from(message).toString('hex')))
        },
      ),
    )
  })

  it('that are too long are refused before they are there', () => {
    expect(found([Buffer.concat([frameOf(Buffer.from('ab')), frameOf(Buffer.alloc(100)).subarray(0, 5)])], 99)).toEqual([
      '6162',
      'Received message larger than max (100 vs 99)',
    ])
    expect(found([frameOf(Buffer.alloc(99))], 99)).toHaveLength(1)
  })

  it('that say they are compressed, where nothing said how, are refused', () => {
    const frame = frameOf(Buffer.from('ab'))
    frame[0] = 1
    expect(found([frame])).toEqual(['Received a compressed message on a stream without grpc-encoding'])
  })
})
