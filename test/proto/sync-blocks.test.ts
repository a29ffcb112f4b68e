import { expect, test } from 'vitest'
import { decodeSyncBlocks, encode, encodeSyncBlocks, SyncBlocks } from '../../proto/index.js'

const range = { correlationId: 2n, start: 7n, end: 7n }
/** A block whose transaction has a txid that is not UTF-8. */
const block = new Uint8Array(Buffer.from('1a042a02ff41220173', 'hex'))

test('blocks go in and come out byte for byte, also where their text is not UTF-8', () => {
  const bytes = encodeSyncBlocks(range, [block, new Uint8Array(0)])
  const { range: read, blocks } = decodeSyncBlocks(bytes)
  expect(read).toEqual(range)
  expect(blocks.map((each) => Buffer.from(each).toString('hex'))).toEqual([Buffer.from(block).toString('hex'), ''])
})

test('what has no range, or fields that v0.6 drops, is read as v0.6 reads it', () => {
  expect(decodeSyncBlocks(encode(SyncBlocks, { range: undefined, blocks: [] }))).toEqual({ range: undefined, blocks: [] })
  const withUnknown = Buffer.concat([encodeSyncBlocks(range, [block]), Buffer.from('fa0601ff', 'hex')])
  expect(decodeSyncBlocks(withUnknown).blocks).toHaveLength(1)
  expect(() => decodeSyncBlocks(Buffer.from('12ff', 'hex'))).toThrow('goes beyond')
})
