import { describe, expect, it } from 'vitest'
import {
  Block,
  BlockNumber,
  ChaincodeMessage,
  decode,
  encode,
  Interest,
  membership,
  Message,
  PutStateInfo,
  SyncBlockRange,
  Timestamp,
  Transaction,
  WireError,
} from '../../proto/index.js'
import { fromHex, toHex } from './vectors.js'

describe('encode', () => {
  it('gives what later messages leave alone, of every length', () => {
    const encoded = Array.from({ length: 700 }, (_, length) => encode(Transaction, Transaction.fromPartial({ payload: new Uint8Array(length).fill(length) })))
    encoded.forEach((bytes, length) => expect(decode(Transaction, bytes).payload).toEqual(new Uint8Array(length).fill(length)))
  })

  it('gives bytes of its own, which the next message does not overwrite', () => {
    const first = encode(BlockNumber, { number: 1n })
    encode(BlockNumber, { number: 2n })
    expect(toHex(first)).toBe('0801')
    expect(first.buffer.byteLength).toBe(2)
  })

  it('refuses a value that does not fit its field, naming the message', () => {
    expect(() => encode(SyncBlockRange, { correlationId: 1n, start: -1n, end: 0n })).toThrow(
      expect.objectContaining({ code: 'ERR_WIRE_ENCODE', message: expect.stringContaining('protos.SyncBlockRange') }),
    )
  })

  it('writes the next message whole after a failure in the middle of one', () => {
    const broken = { range: { correlationId: 9n, start: 2n ** 64n, end: 0n }, blocks: [] }
    expect(() => encode(SyncBlockRange, broken.range)).toThrow(WireError)
    expect(toHex(encode(BlockNumber, { number: 7n }))).toBe('0807')
  })
})

describe('decode', () => {
  it('refuses a known field of another wire type, which generated code alone would skip', () => {
    expect(() => decode(Message, fromHex('0a0108'))).toThrow(
      expect.objectContaining({ code: 'ERR_WIRE_TYPE', message: expect.stringContaining('cannot decode protos.Message from 3 bytes') }),
    )
  })

  it.each(['00', '0c', '1a05ff', '10', '0880'])('refuses the malformed message %s', (hex) => {
    expect(() => decode(Transaction, fromHex(hex))).toThrow(WireError)
  })

  it('merges occurrences of a sub-message and takes the last of a scalar', () => {
    expect(decode(Block, fromHex('1202080512021006220161220162'))).toMatchObject({ timestamp: { seconds: 5n, nanos: 6 }, stateHash: fromHex('62') })
  })

  it('keeps unknown enum numbers', () => {
    expect(decode(Message, fromHex('084d')).type).toBe(77)
    expect(decode(Message, fromHex('08ffffffffffffffffff01')).type).toBe(-1)
  })

  it('keeps 64-bit integers exact', () => {
    expect(decode(BlockNumber, fromHex('08ffffffffffffffffff01')).number).toBe(2n ** 64n - 1n)
    expect(decode(Timestamp, fromHex('08ffffffffffffffffff01')).seconds).toBe(-1n)
  })

  it('tells an empty sub-message from an absent one', () => {
    expect(decode(Block, fromHex('3a00')).nonHashData).toEqual({ localLedgerCommitTimestamp: undefined, chaincodeEvents: [] })
    expect(decode(Block, fromHex('')).nonHashData).toBeUndefined()
  })

  it('gives plain Uint8Arrays that view the input, also when that is a Buffer', () => {
    const input = Buffer.from('0a01ff', 'hex')
    const { key } = decode(PutStateInfo, input)
    expect(Buffer.isBuffer(key)).toBe(false)
    input[2] = 0x01
    expect(toHex(key)).toBe('01')
  })

  it('keeps state keys that are not UTF-8 and replaces such bytes in text only', () => {
    expect(toHex(encode(PutStateInfo, decode(PutStateInfo, fromHex('0a03ff00fe'))))).toBe('0a03ff00fe')
    expect(decode(ChaincodeMessage, fromHex('2202ff61')).txid).toBe('\ufffda')
  })
})

describe('open and aliased enums', () => {
  it('number the absence of attributes 8, which v0.6 writes as octal 010', () => {
    expect(membership.ACAAttrResp_StatusCode.NO_ATTRIBUTES_FOUND).toBe(8)
  })

  it('give aliases the same number', () => {
    expect(membership.ACAAttrResp_StatusCode.FAILURE_MAXVAL).toBe(membership.ACAAttrResp_StatusCode.FAIL_NIL_ATTRIBUTES)
  })

  it('write a oneof member even when it is empty', () => {
    const interest = Interest.fromPartial({ RegInfo: { $case: 'chaincodeRegInfo', value: {} } })
    expect(toHex(encode(Interest, interest))).toBe('1200')
  })
})
