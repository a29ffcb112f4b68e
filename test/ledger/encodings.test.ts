import { describe, expect, it } from 'vitest'
import { be64 } from '../../plugins/ledger/bytes.js'
import {
  BLOCK_COUNT_KEY,
  blockHashIndexKey,
  compositeKey,
  decodeBlockNumber,
  decodeLocation,
  encodeBlockNumber,
  encodeLocation,
  orderPreserving,
  orderPreserving32,
  splitCompositeKey,
  txidIndexKey,
} from '../../plugins/ledger/encodings.js'
import { ledgerHash } from '../../plugins/ledger/hash.js'
import { StateDelta } from '../../plugins/ledger/state-delta.js'
import { decodeDelta, deltaHash, encodeDelta } from '../../plugins/ledger/state-delta-codec.js'
import { hex, unhex, vector } from './kit.js'

interface Entry {
  readonly chaincodeIDHex: string
  readonly keyHex: string
  readonly valueHex: string | null
  readonly previousValueHex: string | null
}

const present = (value: string | null) => (value === null ? undefined : unhex(value))

function deltaOf(entries: readonly Entry[]): StateDelta {
  const delta = new StateDelta()
  for (const { chaincodeIDHex, keyHex, valueHex, previousValueHex } of entries) {
    delta.set(unhex(chaincodeIDHex), unhex(keyHex), present(valueHex), present(previousValueHex))
  }
  return delta
}

function entriesOf(delta: StateDelta): string[] {
  const lines = [...delta.groups.values()].flatMap(({ chaincode, entries }) =>
    Array.from(entries.values(), ({ key, value, previousValue }) => [hex(chaincode), hex(key), hex(value), hex(previousValue)].join()),
  )
  return lines.sort()
}

const asLines = (entries: readonly Entry[]) => entriesOf(deltaOf(entries))

describe('the ledger hash', () => {
  it('is SHAKE256 of 64 bytes, also over pieces', () => {
    for (const { inputHex, hashHex } of vector('hash.json', (json): { cases: { inputHex: string; hashHex: string }[] } => JSON.parse(json)).cases) {
      const input = unhex(inputHex)
      expect(hex(ledgerHash(input))).toBe(hashHex)
      expect(hex(ledgerHash(input.subarray(0, 3), input.subarray(3)))).toBe(hashHex)
    }
  })
})

describe('row keys and values', () => {
  interface Encodings {
    readonly blockCountKeyHex: string
    readonly blockHashIndexKey: { blockHashHex: string; keyHex: string }
    readonly blockNumbers: { blockchainCFKeyHex: string; indexValueHex: string; number: number }[]
    readonly compositeKeys: { chaincodeIDHex: string; keyHex: string; compositeKeyHex: string; decodedChaincodeIDHex: string; decodedKeyHex: string }[]
    readonly txIDIndexKey: { keyHex: string; txid: string }
    readonly txIndexValues: { blockNumber: number; txIndex: number; valueHex: string }[]
  }
  const encodings = vector('encodings.json', (json): Encodings => JSON.parse(json))

  it('name blocks and transactions as the original', () => {
    expect(hex(BLOCK_COUNT_KEY)).toBe(encodings.blockCountKeyHex)
    expect(hex(blockHashIndexKey(unhex(encodings.blockHashIndexKey.blockHashHex)))).toBe(encodings.blockHashIndexKey.keyHex)
    expect(hex(txidIndexKey(encodings.txIDIndexKey.txid))).toBe(encodings.txIDIndexKey.keyHex)
    for (const { blockchainCFKeyHex, indexValueHex, number } of encodings.blockNumbers) {
      // Numbers above 2^53 cannot be read exactly from JSON; the key has them.
      const exact = BigInt(`0x${blockchainCFKeyHex}`)
      if (Number.isSafeInteger(number)) expect(exact).toBe(BigInt(number))
      expect(hex(be64(exact))).toBe(blockchainCFKeyHex)
      expect(hex(encodeBlockNumber(exact))).toBe(indexValueHex)
      expect(decodeBlockNumber(unhex(indexValueHex))).toBe(exact)
    }
    for (const { blockNumber, txIndex, valueHex } of encodings.txIndexValues) {
      const location = { block: BigInt(blockNumber), index: txIndex }
      expect(hex(encodeLocation(location))).toBe(valueHex)
      expect(decodeLocation(unhex(valueHex))).toEqual(location)
    }
  })

  it('join chaincode and key, and split at the first zero byte', () => {
    for (const { chaincodeIDHex, keyHex, compositeKeyHex, decodedChaincodeIDHex, decodedKeyHex } of encodings.compositeKeys) {
      const composite = compositeKey(unhex(chaincodeIDHex), unhex(keyHex))
      expect(hex(composite)).toBe(compositeKeyHex)
      const { chaincode, key } = splitCompositeKey(composite)
      expect([hex(chaincode), hex(key)]).toEqual([decodedChaincodeIDHex, decodedKeyHex])
    }
  })

  it('keep the order of numbers', () => {
    for (const { number, encodedHex } of vector('order_preserving_varuint64.json', (json): { cases: { number: string; encodedHex: string }[] } =>
      JSON.parse(json),
    ).cases) {
      const value = BigInt(`0x${number}`)
      expect(hex(orderPreserving(value))).toBe(encodedHex)
      if (value <= 0x100000000n) expect(hex(orderPreserving32(Number(value)))).toBe(encodedHex)
    }
  })
})

describe('a state delta', () => {
  interface Deltas {
    readonly exact: { cryptoHashHex: string | null; entries: Entry[]; marshalledHex: string; note: string }[]
    readonly multi: { cryptoHashHex: string | null; entries: Entry[]; marshalledLength: number; oneValidMarshallingHex: string }[]
    readonly unmarshalEdgeCases: { accepted: boolean; inputHex: string; entries?: Entry[] }[]
  }
  const { exact, multi, unmarshalEdgeCases } = vector('state_delta.json', (json): Deltas => JSON.parse(json))

  it('is written and read as by the original', () => {
    for (const { cryptoHashHex, entries, marshalledHex, note } of exact) {
      expect(hex(encodeDelta(deltaOf(entries))), note).toBe(marshalledHex)
      expect(entriesOf(decodeDelta(unhex(marshalledHex))), note).toEqual(asLines(entries))
      expect(hex(deltaHash(deltaOf(entries))), note).toBe(cryptoHashHex)
    }
  })

  it('is read in any order and written sorted', () => {
    for (const { cryptoHashHex, entries, marshalledLength, oneValidMarshallingHex } of multi) {
      expect(encodeDelta(deltaOf(entries)).length).toBe(marshalledLength)
      expect(hex(encodeDelta(deltaOf([...entries].reverse())))).toBe(hex(encodeDelta(deltaOf(entries))))
      const decoded = decodeDelta(unhex(oneValidMarshallingHex))
      expect(entriesOf(decoded)).toEqual(asLines(entries))
      expect(hex(deltaHash(decoded))).toBe(cryptoHashHex)
    }
  })

  it('is refused where the original refuses it', () => {
    for (const { accepted, inputHex, entries } of unmarshalEdgeCases) {
      if (accepted) expect(entriesOf(decodeDelta(unhex(inputHex)))).toEqual(asLines(entries ?? []))
      else expect(() => decodeDelta(unhex(inputHex)), inputHex).toThrow(/expected a state delta/)
    }
  })
})
