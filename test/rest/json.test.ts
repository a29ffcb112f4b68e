import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  Block,
  ChaincodeEvent,
  ConfidentialityLevel,
  Transaction,
  Transaction_Type,
  encode,
  goString,
  goUtf8,
  BLOCK_JSON,
  TRANSACTION_JSON,
  writeJsonMessage,
  JsonWriter,
} from '../../proto/index.js'
import { parseJson, type JsonValue } from '../../plugins/rest/json/parse.js'

function plain(value: JsonValue): unknown {
  if ('text' in value) return value.kind === 'number' ? Number(value.text) : value.text
  if ('items' in value) return value.items.map(plain)
  if ('members' in value) return Object.fromEntries(value.members.map(([name, member]) => [name, plain(member)]))
  return value.kind === 'null' ? null : value.kind === 'true'
}

describe('parsing', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), fc.constantFrom('', ' ', '\n\t'), (text, space) => {
        expect(plain(parseJson(Buffer.from(space + text + space)))).toEqual(JSON.parse(text))
      }),
    )
  })

  it('refuses what JSON.parse refuses', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"\\u00e9"',
      '"\\x"',
      '1',
      '-',
      '01',
      '1.',
      '1e',
      '1e5',
      'true',
      'nul',
      'null',
      ' ',
      '"',
      '\\',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (words) => {
        const text = words.join('')
        const accepts = (parse: () => unknown): boolean => {
          try {
            parse()
            return true
          } catch {
            return false
          }
        }
        expect(accepts(() => parseJson(Buffer.from(text)))).toBe(accepts(() => JSON.parse(text)))
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['"a', 'unexpected end of JSON input'],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['{x', "invalid character 'x' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['"\n"', "invalid character '\\n' in string literal"],
    ['"\u0001"', "invalid character '\\x01' in string literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    ['ä', "invalid character 'Ã' looking for beginning of value"],
    ['['.repeat(100_000), 'exceeded max depth'],
  ])('%j is refused with the words of the original', (text, message) => {
    expect(() => parseJson(Buffer.from(text))).toThrow(message)
  })

  it('replaces lone halves of surrogate pairs and broken UTF-8, one for each byte', () => {
    expect(plain(parseJson(Buffer.from('"\\ud83d\\ude00 \\ud83d \\ud83dx \\ude00"')))).toBe('😀 \ufffd \ufffdx \ufffd')
    expect(goUtf8(Buffer.from([0x61, 0xe2, 0x82, 0x62, 0xff, 0xed, 0xa0, 0x80, 0xc3, 0xa4]))).toBe('a\ufffd\ufffdb\ufffd\ufffd\ufffd\ufffdä')
  })
})

describe('writing', () => {
  it('escapes what Go escapes', () => {
    expect(goString('<a href="x">&\u2028\u2029\b\f\n\u007f\\é')).toBe('"\\u003ca href=\\"x\\"\\u003e\\u0026\\u2028\\u2029\\u0008\\u000c\\n\u007f\\\\é"')
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => JSON.parse(goString(text)) === text))
  })

  const bytes = fc.uint8Array({ maxLength: 700 })
  const timestamp = fc.record({ seconds: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), nanos: fc.integer() })
  const transaction = fc.record({
    type: fc.constantFrom(Transaction_Type.CHAINCODE_INVOKE, Transaction_Type.CHAINCODE_TERMINATE, Transaction_Type.UNDEFINED),
    chaincodeID: bytes,
    payload: bytes,
    txid: fc.string({ unit: 'binary' }),
    timestamp: fc.option(timestamp, { nil: undefined }),
    confidentialityLevel: fc.constantFrom(ConfidentialityLevel.PUBLIC, ConfidentialityLevel.CONFIDENTIAL),
  })
  const event = fc.record({ chaincodeID: fc.string(), txID: fc.string(), eventName: fc.string(), payload: bytes })
  const block = fc.record({
    version: fc.nat(),
    transactions: fc.array(transaction, { maxLength: 3 }),
    stateHash: bytes,
    previousBlockHash: bytes,
    nonHashData: fc.option(fc.record({ localLedgerCommitTimestamp: timestamp, chaincodeEvents: fc.array(event, { maxLength: 3 }) }), { nil: undefined }),
  })

  it('shows a block as its members say: empty ones left out, bytes in base64', () => {
    const writer = new JsonWriter()
    fc.assert(
      fc.property(block, (parts) => {
        const message = Block.fromPartial({
          ...parts,
          transactions: parts.transactions.map((part) => Transaction.fromPartial(part)),
          ...(parts.nonHashData === undefined
            ? {}
            : { nonHashData: { ...parts.nonHashData, chaincodeEvents: parts.nonHashData.chaincodeEvents.map((part) => ChaincodeEvent.fromPartial(part)) } }),
        })
        writer.reset()
        writeJsonMessage(writer, encode(Block, message), BLOCK_JSON)
        expect(writer.finish().toString()).toBe(reference(message))
      }),
    )
  })

  it('refuses damaged bytes', () => {
    const writer = new JsonWriter()
    expect(() => writeJsonMessage(writer, Uint8Array.of(0x12, 0x7f, 1), TRANSACTION_JSON)).toThrow(/beyond the end/)
  })
})

/** The slow way: every member that is not empty, in order; big numbers as they are. */
function reference(value: unknown): string {
  if (typeof value === 'string') return goString(value)
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  if (Array.isArray(value)) return `[${value.map(reference).join(',')}]`
  const members = Object.entries(value ?? {}).filter(([, member]) => !isEmpty(member))
  return `{${members.map(([name, member]) => `"${name}":${reference(member)}`).join(',')}}`
}

function isEmpty(value: unknown): boolean {
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0
  return value === undefined || value === '' || value === 0 || value === 0n
}
