import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageWriter, readMessage, requestId } from '../../../plugins/consensus/index.js'

interface Sample {
  readonly number: number
  readonly bytes: Uint8Array
  readonly list: readonly number[]
  readonly requests: readonly { readonly id: string; readonly bytes: Uint8Array }[]
}

const number = fc.nat(2 ** 31).map((half) => half * 65_536)
const bytes = fc.uint8Array({ maxLength: 40 })
const sample = fc.record({ number, bytes, list: fc.array(number), requests: fc.array(bytes.map((content) => ({ id: requestId(content), bytes: content }))) })

function write({ number, bytes, list, requests }: Sample): Uint8Array {
  const writer = new MessageWriter()
  return writer
    .number(number)
    .bytes(bytes)
    .list(list, (item) => writer.number(item))
    .requests(requests)
    .end()
}

function read(message: Uint8Array): Sample | undefined {
  return readMessage(message, (reader) => ({
    number: reader.number(),
    bytes: Uint8Array.from(reader.bytes()),
    list: reader.list(() => reader.number()),
    requests: reader.requests().map(({ id, bytes }) => ({ id, bytes: Uint8Array.from(bytes) })),
  }))
}

describe('messages of engines', () => {
  it('come out as they went in, requests with their ids', () => {
    fc.assert(
      fc.property(sample, (value) => {
        expect(read(write(value))).toEqual(value)
      }),
    )
  })

  it('are refused when they are cut or longer', () => {
    const message = write({ number: 1, bytes: Buffer.from('abc'), list: [1, 2], requests: [] })
    for (let length = 0; length < message.length; length += 1) expect(read(message.subarray(0, length))).toBeUndefined()
    expect(read(Buffer.concat([message, Buffer.of(0)]))).toBeUndefined()
  })

  it('are read or refused, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const value = read(noise)
        if (value) expect(write(value)).toEqual(Buffer.from(noise))
      }),
    )
  })

  it('cannot announce more items than they have bytes', () => {
    const message = new MessageWriter().number(2 ** 40).end()
    expect(readMessage(message, (reader) => reader.list(() => 0))).toBeUndefined()
  })

  it('are refused by who reads them', () => {
    expect(readMessage(new MessageWriter().number(7).end(), (reader) => (reader.number() === 7 ? reader.refuse() : 0))).toBeUndefined()
  })

  it('hold no number to which nothing can be added', () => {
    expect(readMessage(Buffer.alloc(6, 0xff), (reader) => reader.number())).toBeUndefined()
  })

  it('let errors of who reads them through', () => {
    const failing = (): never => {
      throw new RangeError('mine')
    }
    expect(() => readMessage(Buffer.alloc(0), failing)).toThrow('mine')
  })
})
