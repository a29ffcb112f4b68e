import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { shake256, shake256Hex } from '../../proto/index.js'

const openSsl = (length: number, bytes: Uint8Array): string => createHash('shake256', { outputLength: length }).update(bytes).digest('hex')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

it('gives what OpenSSL gives, for every length around the ends of blocks and beyond what is hashed in WebAssembly', () => {
  const bytes = Uint8Array.from({ length: 1500 }, (_, index) => (index * 131 + (index >>> 3)) & 0xff)
  for (let length = 0; length <= bytes.length; length++) {
    const input = bytes.subarray(0, length)
    expect(hex(shake256(64, input))).toBe(openSsl(64, input))
    expect(shake256Hex(32, input)).toBe(openSsl(32, input))
  }
})

it('hashes pieces as their concatenation', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), fc.constantFrom<32 | 64>(32, 64), (pieces, length) => {
      expect(hex(shake256(length, ...pieces))).toBe(openSsl(length, Buffer.concat(pieces)))
    }),
  )
})

it('gives bytes that a later hash does not change', () => {
  const first = shake256(64, Buffer.from('first'))
  const before = hex(first)
  shake256(64, Buffer.from('second'))
  expect(hex(first)).toBe(before)
  expect(Buffer.isBuffer(first)).toBe(false)
})
