import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readMessage, writePlainMessage } from '../../plugins/chaincode/fast-codec.js'
import { ChaincodeMessage, ChaincodeMessage_Type as T, decode, encode } from '../../proto/index.js'

const { sessions }: { sessions: { messages: { hex?: string }[] }[] } = JSON.parse(readFileSync('test/vectors/chaincode/sessions.json', 'utf8'))
const captured = sessions.flatMap(({ messages }) => messages.flatMap(({ hex }) => (hex === undefined ? [] : [Buffer.from(hex, 'hex')])))

describe('reading and writing chaincode messages the quick way', () => {
  it('reads every captured message as the general codec does', () => {
    expect(captured.length).toBeGreaterThan(600)
    for (const bytes of captured) expect(readMessage(bytes)).toEqual(decode(ChaincodeMessage, bytes))
  })

  it.each([0, 1, 127, 128, 16_383, 16_384, 3_000_000])('writes a payload of %d bytes as the general codec does', (length) => {
    for (const txid of ['', 'txid', 'ü'.repeat(100)]) {
      const payload = new Uint8Array(length).fill(9)
      const written = writePlainMessage(T.RESPONSE, txid, payload)
      const expected = encode(ChaincodeMessage, {
        type: T.RESPONSE,
        timestamp: undefined,
        payload,
        txid,
        securityContext: undefined,
        chaincodeEvent: undefined,
      })
      expect(Buffer.compare(written, expected)).toBe(0)
      const { payload: read, ...rest } = readMessage(Buffer.from(written))
      expect(rest).toEqual({ type: T.RESPONSE, timestamp: undefined, txid, securityContext: undefined, chaincodeEvent: undefined })
      expect(Buffer.compare(read, payload)).toBe(0)
    }
  })

  it.each([
    '',
    '08',
    '0807',
    '0800',
    '08ff01',
    '0b',
    '08071a',
    '08071a05',
    '08071a8080808010',
    '08071a0161220178',
    '080722017801',
    '08072201781a0161',
    '08072201ff',
    '1a01610807',
    '08072a00',
    '0807220178aa0100',
  ])('agrees with the general codec about the bytes %s', (hex) => {
    const bytes = Buffer.from(hex, 'hex')
    const outcome = (read: () => unknown) => {
      try {
        return read()
      } catch (cause) {
        return String(cause)
      }
    }
    expect(outcome(() => readMessage(bytes))).toEqual(outcome(() => decode(ChaincodeMessage, bytes)))
  })
})
